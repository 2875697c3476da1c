//! The closed list of metrics: each of them is a figure of some run.

use std::collections::BTreeSet;

use onnxprof::analysis::{self, Figure};
use onnxprof::metric::{Group, Level, Metric};
use onnxprof::record::{
    ElementScores, ElementUnit, Hits, Monitoring, Overlap, RightOf, RunRecord, Scores,
    SeveralScores,
};

use crate::support::load;
use crate::support::record::{digits, regression};

const SAMPLES: usize = 12;

/// The digits run, scored as another kind of model.
fn scored(scores: &Scores) -> RunRecord {
    let mut record = digits();
    record
        .accuracy
        .iter_mut()
        .for_each(|accuracy| accuracy.scores = Some(scores.clone()));
    record
}

fn elements(unit: ElementUnit) -> RunRecord {
    scored(&Scores::Elements(ElementScores {
        output: "y".into(),
        unit,
        class_axis: Some(1),
        samples: vec![
            RightOf {
                right_count: 3,
                elements_count: 4
            };
            SAMPLES
        ],
        classes: vec![Overlap::default(); 2],
    }))
}

/// A run of which counters and the driver of a GPU were asked.
fn on_gpu() -> RunRecord {
    let mut record = digits();
    record.monitoring = Some(Monitoring {
        cpu: Err("no counter".into()),
        gpus: Err("no driver".into()),
    });
    record.plan.sessions[1].execution_provider = "CUDAExecutionProvider".into();
    record
}

#[test]
fn every_metric_is_a_figure_of_a_cell_or_a_session() {
    let several = Scores::SeveralClasses(SeveralScores {
        output: "y".into(),
        classes_count: 4,
        threshold: 0.5,
        samples: vec![
            Hits {
                both_count: 1,
                ..Hits::default()
            };
            SAMPLES
        ],
    });
    let runs = [
        digits(),
        regression(),
        scored(&several),
        elements(ElementUnit::Token),
        elements(ElementUnit::Pixel),
        on_gpu(),
        load::curve(),
    ];
    let (mut of_sessions, mut of_cells) = (BTreeSet::new(), BTreeSet::new());
    let mut under_load = BTreeSet::new();
    for run in &runs {
        let found = analysis::findings(run);
        let metric = |figure: &Figure| figure.metric;
        of_sessions.extend(
            found
                .sessions
                .iter()
                .flat_map(|session| &session.figures)
                .map(metric),
        );
        of_cells.extend(
            found
                .cells
                .iter()
                .flat_map(|cell| &cell.figures)
                .map(metric),
        );
        for candidate in found.load.iter().flat_map(|load| &load.candidates) {
            under_load.extend(candidate.figures.iter().map(metric));
            under_load.extend(Group::Requests.metrics().filter(|&metric| {
                candidate
                    .points
                    .iter()
                    .any(|point| point.figure(metric).is_some())
            }));
        }
    }
    for &metric in Metric::ALL {
        let produced = match metric.level() {
            Level::Cell => &of_cells,
            Level::Session => &of_sessions,
            Level::Load => &under_load,
        };
        assert!(
            produced.contains(&metric),
            "{} is a figure of nothing",
            metric.key()
        );
        assert!(
            metric.level() == Level::Cell || !of_cells.contains(&metric),
            "{} is of sessions",
            metric.key()
        );
    }
}
