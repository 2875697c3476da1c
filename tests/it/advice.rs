//! What is advised, from made-up runs: each kind needs its measurement, and without it nothing is
//! said.

use onnxprof::analysis::{
    self, Action, Advice, Against, Findings, Level, Priority, Setting, Untried, Verdict,
};
use onnxprof::plan::RuntimeChoice;
use onnxprof::record::{Contrast, Contrasted, IdleGap, IdleGaps, RunRecord, RuntimeInfo};
use onnxprof::report::{self, Report};
use onnxprof::text::Plain;
use onnxprof::units::Nanos;

use crate::support::{model, record};
use crate::workbench::Workbench;

const DENORMALS: &str = "session.set_denormal_as_zero=1";

fn markdown(run: &RunRecord, findings: &Findings) -> String {
    report::markdown(&Report::new(run, findings)).unwrap()
}

/// A contrast whose option changes the latency by `factor`, in eight launches of two pairs.
fn contrast(session: usize, factor: f64) -> Contrast {
    let round = |round: u64| {
        let off = 0.004 * (round as f64 - 3.5) / 3.5;
        vec![factor.ln() + off, factor.ln() - off]
    };
    let found = Contrasted {
        log_ratios: (0..8).map(round).collect(),
        changed_ns: Nanos((200_000.0 * factor) as u64),
        unchanged_ns: Nanos(200_000),
    };
    Contrast {
        session,
        shape: 0,
        batch_size: 1,
        option: DENORMALS.into(),
        found: Ok(found),
    }
}

fn of(findings: &Findings, wanted: fn(&Action) -> bool) -> Vec<&Advice> {
    findings
        .decisions
        .advice
        .iter()
        .filter(|advice| wanted(&advice.action))
        .collect()
}

#[test]
fn option_that_was_measured_to_be_faster_is_advised_with_its_evidence() {
    let mut run = record::digits();
    run.contrasts.push(contrast(0, 0.25));
    let findings = analysis::findings(&run);
    let found = of(&findings, |action| {
        matches!(action, Action::SetOption { .. })
    });
    let [advice] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(
        (advice.gain.value().unwrap() - 4.0).abs() < 0.05,
        "{advice:?}"
    );
    assert_eq!(
        (advice.priority, advice.effort, advice.risk),
        (Priority::High, Level::Low, Level::Medium)
    );
    let evidence = &advice.evidence[0];
    assert_eq!((evidence.n, evidence.verdict), (8, Some(Verdict::Faster)));
    assert_eq!(evidence.against, Against::WithoutOption(DENORMALS.into()));
    // Any run of the session measures it with the option and without.
    assert!(
        !advice.command.contains(&"--session-config".into()),
        "{:?}",
        advice.command
    );
    let text = markdown(&run, &findings);
    assert!(
        text.contains("Flush denormal numbers to zero in fp32"),
        "{text}"
    );
    // The larger gain comes before that of the other file.
    assert_eq!(findings.decisions.advice[0].action, advice.action);
}

#[test]
fn option_without_a_gain_or_of_a_variant_that_must_not_ship_is_not_advised() {
    let mut run = record::digits();
    run.contrasts = vec![
        contrast(0, 1.0),
        contrast(1, 1.3),
        // Session 2 has outputs that are not numbers.
        contrast(2, 0.25),
        Contrast {
            found: Err("the budget left no time".into()),
            ..contrast(3, 0.25)
        },
    ];
    let findings = analysis::findings(&run);
    assert!(
        of(&findings, |action| matches!(
            action,
            Action::SetOption { .. }
        ))
        .is_empty()
    );
}

fn gaps(latencies: &[(u64, u64)]) -> Vec<IdleGaps> {
    let gap = |&(gap_ms, latency_us): &(u64, u64)| IdleGap {
        gap_ns: Nanos(gap_ms * 1_000_000),
        latencies_ns: Ok((0..8)
            .map(|n| vec![Nanos(latency_us * 1_000 + n * 97); 3])
            .collect()),
    };
    vec![IdleGaps {
        session: 0,
        shape: 0,
        batch_size: 1,
        gaps: Ok(latencies.iter().map(gap).collect()),
    }]
}

#[test]
fn pauses_that_slow_a_session_down_are_advised_against_up_to_the_longest_that_does_not() {
    let mut run = record::digits();
    run.idle_gaps = gaps(&[(0, 200), (10, 200), (100, 201), (1000, 900)]);
    let findings = analysis::findings(&run);
    let found = of(&findings, |action| {
        matches!(action, Action::KeepWarm { .. })
    });
    let [advice] = found.as_slice() else {
        panic!("{found:?}")
    };
    let Action::KeepWarm {
        longest_ns,
        idle_ns,
        ..
    } = advice.action
    else {
        panic!("{advice:?}")
    };
    assert_eq!(
        (longest_ns, idle_ns),
        (Nanos(100_000_000), Nanos(1_000_000_000))
    );
    assert!(
        (advice.gain.value().unwrap() - 4.5).abs() < 0.1,
        "{advice:?}"
    );
    assert_eq!(advice.priority, Priority::Medium);
    let text = markdown(&run, &findings);
    assert!(
        text.contains("Keep fp32 warm: let no more than 100 ms pass between predictions"),
        "{text}"
    );
}

#[test]
fn pauses_that_do_no_harm_or_of_which_the_shortest_does_are_not_advised_about() {
    for latencies in [
        [(0, 200), (10, 200), (1000, 201)],
        [(0, 200), (10, 900), (1000, 900)],
    ] {
        let mut run = record::digits();
        run.idle_gaps = gaps(&latencies);
        let findings = analysis::findings(&run);
        assert!(
            of(&findings, |action| matches!(
                action,
                Action::KeepWarm { .. }
            ))
            .is_empty(),
            "{latencies:?}"
        );
    }
}

/// The digits run as if all of its sessions were one model's, under different settings.
fn one_model(change: impl Fn(usize, &mut onnxprof::plan::SessionSpec)) -> RunRecord {
    let mut run = record::digits();
    run.fitness = None;
    for (number, session) in run.plan.sessions.iter_mut().enumerate() {
        session.variant = 0;
        change(number, session);
    }
    run
}

#[test]
fn other_runtime_of_the_same_model_is_switched_to_and_not_shipped() {
    let mut run = one_model(|number, session| {
        session.runtime = RuntimeChoice::Library(format!("/opt/{number}.so").into());
    });
    let known = run.runtimes[0].clone();
    let runtime = |number: usize| RuntimeInfo {
        path: format!("/opt/{number}.so").into(),
        version: format!("1.{number}.0").into(),
        ..known.clone()
    };
    run.runtimes = (0..run.plan.sessions.len()).map(runtime).collect();
    let findings = analysis::findings(&run);
    let found = of(&findings, |action| matches!(action, Action::Switch { .. }));
    let [advice] = found.as_slice() else {
        panic!("{found:?}")
    };
    let Action::Switch { settings, .. } = &advice.action else {
        panic!("{advice:?}")
    };
    assert_eq!(
        settings,
        &[Setting::Runtime {
            version: "1.3.0".into()
        }]
    );
    assert_eq!(advice.effort, Level::Medium);
    assert!(markdown(&run, &findings).contains("Switch fp32 to ONNX Runtime 1.3.0 (at batch 1)"));
}

#[test]
fn other_execution_provider_takes_more_effort_where_it_needs_a_gpu() {
    for (provider, effort) in [
        ("OpenVINOExecutionProvider", Level::Medium),
        ("CUDAExecutionProvider", Level::High),
    ] {
        let run = one_model(|number, session| {
            if number == 3 {
                session.execution_provider = provider.into();
            }
        });
        let findings = analysis::findings(&run);
        let found = of(&findings, |action| matches!(action, Action::Switch { .. }));
        let [advice] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(advice.effort, effort);
        let phase = if effort == Level::High {
            "### Phase 3"
        } else {
            "### Phase 2"
        };
        let text = markdown(&run, &findings);
        let after = text
            .split(phase)
            .nth(1)
            .unwrap()
            .split("### ")
            .next()
            .unwrap();
        assert!(
            after.contains(&format!("Switch fp32 to {provider}")),
            "{text}"
        );
    }
}

#[test]
fn fewer_threads_are_advised_where_speed_and_throughput_hold() {
    let variant = |name: &str| record::VariantShape::new(name, "fp32", 200_000.0, 1_600_000);
    let mut run = record::build(&record::RunShape {
        name: "threads".into(),
        variants: vec![variant("fp32"), variant("other")],
        batch_sizes: vec![1],
        rounds: 12,
        alternations: 12,
        block_inferences: 40,
        samples: 597,
    });
    run.plan.sessions[0].options.intra_threads = 4;
    run.plan.sessions[1].variant = 0;
    let findings = analysis::findings(&run);
    let found = of(&findings, |action| matches!(action, Action::Switch { .. }));
    let [advice] = found.as_slice() else {
        panic!("{:#?}", findings.cells[1].comparison)
    };
    let Action::Switch { settings, .. } = &advice.action else {
        panic!("{advice:?}")
    };
    assert_eq!(settings, &[Setting::IntraThreads(1)]);
    assert_eq!(
        (advice.gain.value(), advice.priority, advice.effort),
        (Some(4.0), Priority::Low, Level::Low)
    );
    let text = markdown(&run, &findings);
    assert!(
        text.contains("Switch fp32 to 1 intra-op thread (at batch 1)"),
        "{text}"
    );
    assert!(
        text.contains("4.0x fewer threads, as fast as before"),
        "{text}"
    );
}

#[test]
fn loading_before_traffic_is_advised_where_the_first_prediction_is_noticed() {
    let mut run = record::digits();
    let wanted = |action: &Action| matches!(action, Action::LoadBeforeTraffic { .. });
    assert!(of(&analysis::findings(&run), wanted).is_empty());
    for launch in &mut run.launches {
        launch.session_load_ns = launch.session_load_ns.map(|load| load + Nanos(300_000_000));
    }
    let findings = analysis::findings(&run);
    let found = of(&findings, wanted);
    let [advice] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (advice.priority, advice.risk),
        (Priority::Medium, Level::Low)
    );
    assert!(advice.gain.value().unwrap() > 1_000.0, "{advice:?}");
    // However large it is, it comes after what every prediction gains.
    assert_eq!(
        findings.decisions.advice.last().map(|last| &last.action),
        Some(&advice.action)
    );
    let text = markdown(&run, &findings);
    assert!(
        text.contains("Load int8-static and run it once before traffic arrives"),
        "{text}"
    );
}

#[test]
fn phases_follow_from_effort() {
    let run = record::digits();
    let text = markdown(&run, &analysis::findings(&run));
    let phase = |title: &str| {
        text.split(title)
            .nth(1)
            .unwrap()
            .split("### ")
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(
        phase("### Phase 1").contains("Ship int8-static instead of fp32"),
        "{text}"
    );
    assert!(
        phase("### Phase 2").contains("Run int8-static at batch 16 instead of 1"),
        "{text}"
    );
    assert!(
        phase("### Phase 3").contains("none: no measured gain takes high effort"),
        "{text}"
    );
}

#[test]
fn no_target_is_what_was_measured() {
    let run = record::digits();
    let text = markdown(&run, &analysis::findings(&run));
    assert!(
        text.contains("- **Inference Latency**: not given\n"),
        "{text}"
    );
    assert!(
        text.contains("- **Model Accuracy**: proposed: maintain top-1 above "),
        "{text}"
    );
}

fn untried(run: &RunRecord) -> Vec<(Untried, String)> {
    let findings = analysis::findings(run);
    findings
        .decisions
        .not_tried
        .into_iter()
        .map(|found| (found.what, found.command.join(" ")))
        .collect()
}

#[test]
fn what_was_not_tried_has_the_command_that_would() {
    let mut run = record::single_variant();
    run.runtimes[0].execution_providers = [
        "CPUExecutionProvider",
        "OpenVINOExecutionProvider",
        "AzureExecutionProvider",
    ]
    .map(String::from)
    .to_vec()
    .into_iter()
    .map(Plain::from)
    .collect();
    let found = untried(&run);
    let command = |what: &Untried| {
        found
            .iter()
            .find(|(known, _)| known == what)
            .map(|(_, command)| command.as_str())
    };
    assert!(
        command(&Untried::Quantization)
            .unwrap()
            .ends_with(" QUANTIZED.onnx"),
        "{found:?}"
    );
    assert!(
        command(&Untried::LargerBatches(4))
            .unwrap()
            .ends_with("--batch 4,8,16"),
        "{found:?}"
    );
    assert!(
        command(&Untried::Threads(1))
            .unwrap()
            .ends_with("--intra-threads 2"),
        "{found:?}"
    );
    assert!(
        command(&Untried::Labels).unwrap().ends_with("--data FILE"),
        "{found:?}"
    );
    assert!(
        command(&Untried::ColdStart).unwrap().ends_with("--cold"),
        "{found:?}"
    );
    let openvino = command(&Untried::ExecutionProvider(
        "OpenVINOExecutionProvider".into(),
    ))
    .unwrap();
    assert!(openvino.ends_with("--ep cpu,openvino"), "{openvino}");
    assert!(
        !found.iter().any(|(_, command)| command.contains("azure")),
        "{found:?}"
    );
}

#[test]
fn commands_of_what_was_not_tried_keep_the_settings_of_the_run() {
    let mut run = record::single_variant();
    run.plan.sweep_end = onnxprof::plan::SweepEnd::Listed;
    run.plan.shapes = swept();
    run.plan.sessions[0]
        .options
        .session_config
        .insert("session.use_env_allocators".into(), "1".into());
    let found = untried(&run);
    let command = |what: &Untried| {
        found
            .iter()
            .find(|(known, _)| known == what)
            .map(|(_, command)| command.as_str())
    };
    let concurrency = command(&Untried::Concurrency).unwrap();
    for word in [
        "--batch 1,4 ",
        "--runtime /opt/onnxruntime/libonnxruntime.so.1.31.1 ",
        "--intra-threads 1 ",
        "--session-config session.use_env_allocators=1 ",
        "--sweep dim=seq:16,64 ",
        "--budget 90s ",
    ] {
        assert!(concurrency.contains(word), "no `{word}` in {concurrency}");
    }
    let threads = command(&Untried::Threads(1)).unwrap();
    assert!(!threads.contains("--intra-threads 1"), "{threads}");
    // What is named would not be searched.
    let tune = command(&Untried::Tuning).unwrap();
    assert!(
        tune.contains("--runtime ")
            && !tune.contains("--batch")
            && !tune.contains("--intra-threads"),
        "{tune}"
    );
}

#[test]
fn commands_are_short_in_the_folder_of_the_run() {
    let mut run = record::single_variant();
    run.run.working_dir = "/srv/project".into();
    run.plan.variants[0].path = "/srv/project/models/net/a.onnx".into();
    run.plan.named.models = vec!["/srv/project/models/net".into()];
    run.plan.sessions[0].options.custom_ops = vec!["/srv/lib/ops.so".into()];
    let library = run.plan.sessions[0].runtime.path().to_owned();
    run.plan
        .named
        .releases
        .insert(library.clone(), "cpu@1.31.1".into());
    let found = untried(&run);
    assert!(found.len() > 5, "{found:?}");
    for (_, command) in &found {
        for words in [
            " models/net ",
            " --runtime cpu@1.31.1",
            " --custom-ops ../lib/ops.so",
        ] {
            assert!(command.contains(words), "no `{words}` in {command}");
        }
        assert!(!command.contains("/srv/project"), "{command}");
    }
    // Without the words for them, by their files.
    run.plan.named = Default::default();
    for (_, command) in untried(&run) {
        assert!(command.contains(" models/net/a.onnx "), "{command}");
        let library = format!(" --runtime {}", library.display());
        assert!(command.contains(&library), "{command}");
    }
}

#[test]
fn words_of_the_models_and_of_an_installed_library_are_in_the_record() {
    let bench = Workbench::new();
    let output = bench.profile(&model("digits"), ["--batch", "1"]).run();
    output.assert_code(0);
    let run = bench.record();
    assert_eq!(run.plan.named.models, [model("digits")]);
    let releases: Vec<&str> = run.plan.named.releases.values().map(Plain::exact).collect();
    assert_eq!(releases, ["cpu@1.31.1"]);
    for (_, command) in untried(&run) {
        assert!(command.contains("--runtime cpu@1.31.1"), "{command}");
        assert!(!command.contains(".onnx "), "{command}");
    }
}

/// Two sizes of a swept dimension.
fn swept() -> Vec<onnxprof::plan::Shape> {
    [16, 64]
        .map(|size| onnxprof::plan::Shape {
            dims: [("seq".into(), size)].into(),
            name: None,
        })
        .into()
}

#[test]
fn advice_names_the_shape_at_which_its_evidence_was_measured() {
    let mut run = record::digits();
    run.plan.shapes = swept();
    run.plan.idle_gaps_ns = [0, 10_000_000, 1_000_000_000].map(Nanos).to_vec();
    run.contrasts = vec![Contrast {
        shape: 1,
        ..contrast(0, 0.25)
    }];
    run.idle_gaps = gaps(&[(0, 200), (10, 200), (1000, 900)]);
    run.idle_gaps[0].shape = 1;
    let findings = analysis::findings(&run);
    let diagnosed = of(&findings, |action| {
        matches!(action, Action::SetOption { .. } | Action::KeepWarm { .. })
    });
    assert_eq!(diagnosed.len(), 2, "{diagnosed:?}");
    for advice in diagnosed {
        assert_eq!(
            (advice.action.key().shape, advice.evidence[0].key.shape),
            (1, 1)
        );
        let command = advice.command.join(" ");
        assert!(command.contains("--sweep dim=seq:64"), "{command}");
        let again = "--idle-gaps=0,10ms,1s";
        assert_eq!(
            command.ends_with(again),
            matches!(advice.action, Action::KeepWarm { .. }),
            "{command}"
        );
    }
}

#[test]
fn what_was_tried_is_not_listed() {
    let mut run = record::digits();
    run.idle_gaps = gaps(&[(0, 200), (10, 200)]);
    run.plan.schedule.page_cache = onnxprof::plan::PageCache::Cold;
    let found = untried(&run);
    for what in [
        Untried::IdleGaps,
        Untried::ColdStart,
        Untried::Quantization,
        Untried::Labels,
    ] {
        assert!(
            !found.iter().any(|(known, _)| *known == what),
            "{what:?} in {found:?}"
        );
    }
}

#[test]
fn run_that_measured_nothing_leaves_nothing_to_try() {
    assert_eq!(untried(&record::nothing_measured()), []);
}
