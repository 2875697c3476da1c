use super::SEARCHED;
use super::load::{Planted, curve, curve_shape, made_up, soak, stress};
use crate::analysis;
use crate::analysis::gate::{self, Basis, Checked, Gate, GateVerdict, Run, Terms};
use crate::record::RunRecord;

fn gated(record: &RunRecord, rules: &str) -> Gate {
    let findings = analysis::findings(record);
    let run = Run {
        record,
        findings: &findings,
    };
    gate::gate(&gate::rules(rules).unwrap(), run, Terms::default()).unwrap()
}

/// One rule, about `int8`.
fn rule(check: &str, more: &str) -> String {
    format!("[[rule]]\ncheck = \"{check}\"\nvariant = \"int8\"\n{more}\n")
}

fn checks(record: &RunRecord, check: &str, more: &str) -> Vec<Checked> {
    gated(record, &rule(check, more)).checks
}

fn verdict(record: &RunRecord, check: &str, more: &str) -> GateVerdict {
    gated(record, &rule(check, more)).verdict
}

#[test]
fn responses_are_of_each_rate_that_was_asked_for_or_of_the_named_one() {
    let record = curve();
    let all = checks(&record, "response_p99 <= 20 ms", "");
    assert_eq!(all.len(), 4);
    assert!(
        all.iter()
            .all(|check| check.judgement.verdict == GateVerdict::Pass)
    );
    assert_eq!(all[1].place_words, ", 200 requests/s");
    for (check, rate, expected) in [
        ("response_p99 <= 20 ms", "rate = 400", GateVerdict::Pass),
        ("response_p99 <= 1.1 ms", "rate = 400.0", GateVerdict::Fail),
        ("error_rate <= 0.1%", "rate = 400", GateVerdict::Pass),
        ("goodput >= 350 /s", "rate = 400", GateVerdict::Pass),
        ("goodput >= 450 /s", "rate = 400", GateVerdict::Fail),
        // No error came, of too few requests to show that there are so few.
        (
            "error_rate <= 0.0001%",
            "rate = 400",
            GateVerdict::Inconclusive,
        ),
    ] {
        assert_eq!(verdict(&record, check, rate), expected, "{check}");
    }
}

#[test]
fn fp32_beyond_what_it_serves_fails_where_int8_passes() {
    let rules = "[[rule]]\ncheck = \"response_p99 <= 20 ms\"\nrate = 600\n";
    let verdicts: Vec<GateVerdict> = gated(&curve(), rules)
        .checks
        .iter()
        .map(|check| check.judgement.verdict)
        .collect();
    assert_eq!(verdicts, [GateVerdict::Fail, GateVerdict::Pass]);
}

#[test]
fn the_rate_at_the_slo_is_over_all_rates() {
    let record = &*SEARCHED;
    let findings = analysis::findings(record);
    let of_int8 = &findings.load.as_ref().unwrap().candidates[2]
        .capacity
        .rate_per_sec;
    let interval = of_int8.interval().unwrap_or_else(|| panic!("{of_int8:?}"));
    for (least, expected) in [
        (interval.low * 0.99, GateVerdict::Pass),
        (of_int8.value().unwrap(), GateVerdict::Inconclusive),
        (interval.high * 1.01, GateVerdict::Fail),
    ] {
        let check = format!("rate_at_slo >= {least} /s");
        assert_eq!(verdict(record, &check, "serving = 1"), expected, "{check}");
    }
    assert_eq!(checks(record, "rate_at_slo >= 1 /s", "").len(), 2);
}

#[test]
fn a_search_has_no_rate_that_was_asked_for() {
    let [check] = checks(&SEARCHED, "response_p99 <= 20 ms", "serving = 1")
        .try_into()
        .unwrap();
    assert_eq!(check.judgement.verdict, GateVerdict::Inconclusive);
    assert!(
        check
            .judgement
            .reason
            .unwrap()
            .exact()
            .contains("`rate_at_slo`")
    );
}

#[test]
fn recovery_and_growth_are_checked_by_their_intervals_and_bounds() {
    let record = stress();
    assert_eq!(
        verdict(&record, "recovery_time <= 5 s", ""),
        GateVerdict::Pass
    );
    assert_eq!(
        verdict(&record, "recovery_time <= 1 ms", ""),
        GateVerdict::Fail
    );
    let leaking = soak(Planted {
        leaked_bytes: 1_024.0,
        ..Planted::default()
    });
    assert_eq!(
        verdict(&leaking, "memory_growth <= 1 GB", ""),
        GateVerdict::Fail
    );
    assert_eq!(
        verdict(&leaking, "memory_growth <= 20 GB", ""),
        GateVerdict::Pass
    );
}

#[test]
fn a_session_that_does_not_recover_fails_by_the_bound() {
    let mut shape = super::load::stress_shape();
    shape.servings[0].queue_limit = None;
    let record = made_up(&shape);
    let rules = "[[rule]]\ncheck = \"recovery_time <= 2 s\"\nvariant = \"fp32\"\n";
    let check = &gated(&record, rules).checks[0];
    assert_eq!(
        (check.judgement.verdict, check.judgement.basis),
        (GateVerdict::Fail, Basis::Bound)
    );
}

#[test]
fn a_run_without_load_says_what_to_run() {
    let mut record = curve();
    (record.load, record.plan.load) = (None, None);
    for check in ["rate_at_slo >= 5 /s", "response_p99 <= 1.1 x baseline"] {
        let checks = checks(&record, check, "rate = 100");
        let judgement = &checks[0].judgement;
        assert_eq!(judgement.verdict, GateVerdict::Inconclusive);
        assert!(
            judgement
                .reason
                .as_ref()
                .unwrap()
                .exact()
                .contains("`onnxprof load`")
        );
    }
}

#[test]
fn what_was_sent_late_decides_nothing_and_says_so() {
    let mut shape = curve_shape();
    shape.planted.lag = crate::units::Nanos(4_000_000);
    let record = made_up(&shape);
    let check = &checks(&record, "response_p99 <= 20 ms", "rate = 100")[0];
    assert_eq!(check.judgement.verdict, GateVerdict::Inconclusive);
    assert!(
        check
            .judgement
            .reason
            .as_ref()
            .unwrap()
            .exact()
            .contains("sent late")
    );
}

#[test]
fn figures_are_compared_with_those_of_the_baseline_at_the_same_rate() {
    let record = curve();
    for (check, expected) in [
        ("response_p50 <= 0.6 x baseline", GateVerdict::Pass),
        ("response_p50 <= 0.3 x baseline", GateVerdict::Fail),
    ] {
        assert_eq!(verdict(&record, check, "rate = 100"), expected, "{check}");
    }
}

#[test]
fn mistakes_name_what_the_run_has() {
    let record = curve();
    let findings = analysis::findings(&record);
    let run = Run {
        record: &record,
        findings: &findings,
    };
    for (check, more, expected) in [
        (
            "response_p99 <= 1 ms",
            "rate = 500",
            "the run has no rate `500`; it has 100, 200, 400, 600",
        ),
        (
            "response_p99 <= 1 ms",
            "serving = 2",
            "the run has no way of serving 2; it has 1",
        ),
        (
            "latency_p99 <= 1 ms",
            "rate = 100",
            "is measured without load",
        ),
        ("rate_at_slo >= 1 /s", "rate = 100", "over all rates"),
        (
            "response_p99 <= 1 ms",
            "batch_size = 1",
            "has no batch size",
        ),
    ] {
        let rules = gate::rules(&rule(check, more)).unwrap();
        let error = gate::gate(&rules, run, Terms::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn rules_to_begin_with_are_kept_by_the_run() {
    for (record, names) in [
        (
            curve(),
            &["response_p99 <=", "error_rate <=", "rate = 400"][..],
        ),
        (SEARCHED.clone(), &["rate_at_slo >=", "serving = 2"]),
        (stress(), &["recovery_time <="]),
    ] {
        let findings = analysis::findings(&record);
        let text = gate::init(Run {
            record: &record,
            findings: &findings,
        });
        for name in names {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert_eq!(gated(&record, &text).verdict, GateVerdict::Pass);
    }
}
