//! A ramp to beyond what is served, and what comes after it.

use onnxprof::record::LoadStage;

use super::command::{of, scripted, segments};
use crate::workbench::Workbench;

#[test]
fn a_ramp_breaks_what_is_served_and_half_of_the_load_lets_it_recover() {
    let bench = Workbench::new();
    let words = [
        "--stress",
        "--queue",
        "100",
        "--rounds",
        "1",
        "--segment",
        "2s",
    ];
    scripted(&bench, &of(1_000_000), &words)
        .run()
        .assert_code(0);
    let record = bench.record();
    let stages: Vec<LoadStage> = segments(&record).iter().map(|one| one.stage).collect();
    assert_eq!(
        stages,
        [LoadStage::Bracket, LoadStage::Before, LoadStage::Ramp]
    );
    let launches: Vec<u64> = segments(&record)
        .iter()
        .map(|one| one.processes[0].launch)
        .collect();
    assert_eq!(launches, [launches[0]; 3], "one process serves them all");
    let [_, before, ramp] = segments(&record) else {
        panic!("there are three");
    };
    assert_eq!(before.processes[0].served.counts.rejected, 0);
    let served = &ramp.processes[0].served;
    assert!(served.counts.rejected > 1_000, "{:?}", served.counts);
    let last = served.windows.last().unwrap();
    assert_eq!((last.counts.rejected, last.counts.failed), (0, 0));
    assert!(last.response_max_ns.unwrap().0 < 50_000_000, "{last:?}");
}

#[test]
fn a_soak_is_one_long_segment_in_parts() {
    let bench = Workbench::new();
    let words = ["--soak", "2m", "--rate", "50", "--budget", "5m"];
    scripted(&bench, &of(1_000_000), &words)
        .run()
        .assert_code(0);
    let record = bench.record();
    let [soak] = segments(&record) else {
        panic!("there is one");
    };
    assert_eq!(soak.stage, LoadStage::Soak);
    assert_eq!(soak.processes[0].served.windows.len(), 120);
}
