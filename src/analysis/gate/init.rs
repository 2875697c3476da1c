//! A rule file to begin with, from a run that keeps it.

use std::fmt::Write as _;

use super::{Gate, GateVerdict, LoadPlace, Run, Terms, gate, rules, target};
use crate::analysis::load::LoadCandidate;
use crate::analysis::{CellFindings, Decision, Estimate, SessionFindings};
use crate::metric::{Metric, Unit};
use crate::plan::{CellKey, Plan};
use crate::record::{LoadStage, RunRecord};

/// Releases differ by some percent for reasons that are nobody's fault.
const HEADROOM: f64 = 0.1;
/// Below the lower end of the interval.
const SCORE_HEADROOM: f64 = 0.005;

/// A rule file that `run` passes: budgets of latency, throughput, memory, size and accuracy of the
/// session that the run advises to ship (the baseline's, where it advises none), that it still is to
/// be shipped, and rules that hold it against a baseline run.
#[must_use]
pub fn init(run: Run<'_>) -> String {
    let Some(session) = subject(run) else {
        return String::new();
    };
    let plan = &run.record.plan;
    let variant = &plan.variant_of(session.session).name;
    let selectors = session_selectors(run.record, session.session);
    let mut text = format!(
        "# Budgets of {}: what was measured, with {:.0}% of headroom. Change them to what you need.\n",
        quoted(variant.exact()),
        HEADROOM * 100.0
    );
    for check in candidates(run, session) {
        let cell = check.cell.map(|cell| cell_selectors(cell, plan));
        let load = check.load.as_ref().map(|place| load_selectors(place, plan));
        let place = cell.or(load).unwrap_or_default();
        let entry = entry(&check, &format!("{selectors}{place}"));
        if passes(&entry, run) {
            text.push_str(&entry);
        }
    }
    text.push_str(RELATIVE);
    text
}

/// A check as a rule file has it, and the cell that it is for: any, where a session has one figure.
struct Check {
    text: String,
    cell: Option<CellKey>,
    /// Under load: of one rate, and of one way of serving where there are several.
    load: Option<LoadPlace>,
}

const RELATIVE: &str = "
# With `--against BASELINE_RUN`, these hold every variant against the same one of that run; with `gate NEW.onnx --against
# OLD.onnx`, the newer file against the older one. A rule may also name `ep`, `runtime`, `binding`, `batch_size`,
# `concurrency`, `shape` and `dims`; of a run under load `rate` and `serving`:
# [[rule]]
# check = \"latency_p50 <= 1.05 x baseline\"
# [[rule]]
# check = \"accuracy_top1 drop <= 0.5 points\"
";

fn subject<'a>(run: Run<'a>) -> Option<&'a SessionFindings> {
    let sessions = &run.findings.sessions;
    to_ship(run)
        .and_then(|session| sessions.get(session))
        .or_else(|| {
            sessions
                .iter()
                .find(|session| session.is_baseline && session.outcome.is_ok())
        })
}

/// Index of the session that is to be shipped, if one is.
fn to_ship(run: Run<'_>) -> Option<usize> {
    let judgement = &run.findings.decisions.judgement;
    judgement
        .session
        .filter(|_| judgement.decision == Decision::Ship)
}

fn candidates(run: Run<'_>, session: &SessionFindings) -> Vec<Check> {
    let measured: Vec<&CellFindings> = run
        .findings
        .cells
        .iter()
        .filter(|cell| cell.key.session == session.session && cell.outcome.is_ok())
        .collect();
    let mut checks = latency_checks(&measured);
    checks.extend(throughput_check(&measured));
    for metric in [Metric::ModelMemory, Metric::FileSize] {
        checks.extend(most(metric, session.figure(metric), None));
    }
    checks.extend(score_check(session));
    checks.extend(load_checks(run, session.session));
    // Of the baseline's own file nothing is judged.
    checks.extend((to_ship(run) == Some(session.session)).then(|| Check {
        text: "ship".into(),
        cell: None,
        load: None,
    }));
    checks
}

/// Of the cell with the fewest samples.
fn latency_checks(measured: &[&CellFindings]) -> Vec<Check> {
    measured
        .iter()
        .min_by_key(|cell| (cell.key.shape, cell.key.batch_size))
        .into_iter()
        .flat_map(|cell| {
            [Metric::LatencyP50, Metric::LatencyP99]
                .map(|metric| most(metric, cell.figure(metric), Some(cell.key)))
        })
        .flatten()
        .collect()
}

fn throughput_check(measured: &[&CellFindings]) -> Option<Check> {
    let largest = measured
        .iter()
        .max_by(|one, other| throughput(one).total_cmp(&throughput(other)))?;
    let least = largest.figure(Metric::Throughput)?.interval()?.low;
    Some(Check {
        text: format!("throughput >= {} /s", significant(least * (1.0 - HEADROOM))),
        cell: Some(largest.key),
        load: None,
    })
}

/// Of the score that is known, or else of how far the outputs agree with the reference.
fn score_check(session: &SessionFindings) -> Option<Check> {
    let agreement = [Metric::Top1Agreement, Metric::CosineSimilarity];
    let (metric, low) = Metric::SCORES
        .into_iter()
        .filter(|metric| metric.unit() == Unit::Ratio)
        .chain(agreement)
        .find_map(|metric| Some((metric, session.figure(metric)?.measured()?.low())))?;
    Some(Check {
        text: format!(
            "{} >= {:.3}",
            metric.name(),
            (low - SCORE_HEADROOM).max(0.0)
        ),
        cell: None,
        load: None,
    })
}

fn throughput(cell: &CellFindings) -> f64 {
    cell.value(Metric::Throughput).unwrap_or(0.0)
}

/// With headroom; `None` where it is nothing, a share of which is no headroom.
fn most(metric: Metric, figure: Option<&Estimate>, cell: Option<CellKey>) -> Option<Check> {
    let high = figure?.measured()?.high();
    (high > 0.0).then(|| Check {
        text: at_most(metric, high * (1.0 + HEADROOM)),
        cell,
        load: None,
    })
}

fn at_most(metric: Metric, most: f64) -> String {
    let units: &[(&str, f64)] = match metric.unit() {
        Unit::Bytes => &[("MB", 1e6), ("kB", 1e3), ("B", 1.0)],
        Unit::Ratio => &[("%", 0.01)],
        _ => &[("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)],
    };
    let (unit, factor) = units
        .iter()
        .find(|(_, factor)| most >= *factor)
        .unwrap_or(&units[units.len() - 1]);
    format!("{} <= {} {unit}", metric.name(), significant(most / factor))
}

/// Of each way in which a session was served: the rate at the SLO, responses and errors at each
/// rate that was asked for and kept up with, recovery and growth.
fn load_checks(run: Run<'_>, session: usize) -> Vec<Check> {
    let candidates = run.findings.load.iter().flat_map(|load| &load.candidates);
    candidates
        .filter(|candidate| candidate.key.session == session)
        .flat_map(of_candidate)
        .collect()
}

fn of_candidate(candidate: &LoadCandidate) -> Vec<Check> {
    let place = |asked| LoadPlace {
        serving: candidate.key.serving,
        asked,
    };
    let mut checks: Vec<Check> = rate_at_slo(candidate, place(None)).into_iter().collect();
    let asked = candidate.of_stage(LoadStage::Asked);
    for point in asked.filter(|point| point.saturated.is_none()) {
        for metric in [Metric::ResponseP99, Metric::ErrorRate] {
            checks.extend(most_under_load(
                metric,
                point.figure(metric),
                place(Some(point.asked)),
            ));
        }
    }
    for metric in [Metric::RecoveryTime, Metric::MemoryGrowth] {
        checks.extend(most_under_load(
            metric,
            candidate.figure(metric),
            place(None),
        ));
    }
    checks
}

fn rate_at_slo(candidate: &LoadCandidate, place: LoadPlace) -> Option<Check> {
    let least = candidate.figure(Metric::RateAtSlo)?.interval()?.low;
    Some(Check {
        text: format!(
            "rate_at_slo >= {} /s",
            significant(least * (1.0 - HEADROOM))
        ),
        cell: None,
        load: Some(place),
    })
}

fn most_under_load(metric: Metric, figure: Option<&Estimate>, place: LoadPlace) -> Option<Check> {
    Some(Check {
        load: Some(place),
        ..most(metric, figure, None)?
    })
}

/// Lines that name a rate and a way of serving.
fn load_selectors(place: &LoadPlace, plan: &Plan) -> String {
    let servings = plan.load.as_ref().map_or(0, |load| load.servings.len());
    let serving = (servings > 1).then(|| format!("serving = {}\n", place.serving + 1));
    let rate = place.asked.map(|rate| format!("rate = {}\n", rate.0));
    [serving, rate].into_iter().flatten().collect()
}

/// As a plain decimal number.
fn significant(value: f64) -> String {
    let digits = (2.0 - value.abs().max(1e-12).log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.digits$}")
}

/// Lines that name a session: its variant, and what tells it from the variant's other ones.
fn session_selectors(record: &RunRecord, session: usize) -> String {
    type Word = fn(&RunRecord, usize) -> String;
    let plan = &record.plan;
    let mut lines = format!(
        "variant = {}\n",
        quoted(plan.variant_of(session).name.exact())
    );
    let words: [(&str, Word); 3] = [
        ("ep", target::ep_word),
        ("runtime", target::runtime_word),
        ("binding", |record, session| {
            record.plan.sessions[session].binding.word().to_owned()
        }),
    ];
    let own = plan.sessions[session].variant;
    for (key, word) in words {
        let value = word(record, session);
        let mut others =
            (0..plan.sessions.len()).filter(|&other| plan.sessions[other].variant == own);
        if others.any(|other| word(record, other) != value) {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{key} = {}", quoted(&value));
        }
    }
    lines
}

fn entry(check: &Check, selectors: &str) -> String {
    format!("\n[[rule]]\ncheck = \"{}\"\n{selectors}", check.text)
}

/// Lines that name a cell of a session.
fn cell_selectors(cell: CellKey, plan: &Plan) -> String {
    let mut lines = format!("batch_size = {}\n", cell.batch_size);
    if plan.load_modes.len() > 1 {
        lines += &format!("concurrency = {}\n", cell.load_mode.threads_count());
    }
    let shape = &plan.shapes[cell.shape];
    if let Some(name) = &shape.name {
        lines += &format!("shape = {}\n", quoted(name.exact()));
    } else if !shape.dims.is_empty() {
        let dims = shape
            .dims
            .iter()
            .map(|(name, size)| format!("{} = {size}", serde_json::Value::from(name.exact())));
        lines += &format!("dims = {{ {} }}\n", dims.collect::<Vec<_>>().join(", "));
    }
    lines
}

/// Nothing is left in it that ends a line or that a terminal would act on.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Those of a range turn the direction of writing, among others.
            c if c.is_control() || matches!(c, '\u{2000}'..='\u{206f}' | '\u{61c}') => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Not so where a figure is missing, and of the baseline, which is not judged.
fn passes(entry: &str, run: Run<'_>) -> bool {
    rules(entry)
        .and_then(|rules| gate(&rules, run, Terms::default()))
        .is_ok_and(|Gate { verdict, .. }| verdict == GateVerdict::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_so_that_the_rules_are_read_again() {
        let name = "a\"b\\c\n[[rule]]\u{1b}\u{7f}\u{9b}\u{202e}é";
        assert!(!quoted(name).contains(['\n', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}']));
        let check = Check {
            text: "latency_p50 <= 5 ms".into(),
            cell: None,
            load: None,
        };
        let entry = entry(&check, &format!("variant = {}\n", quoted(name)));
        let selectors = rules(&entry).unwrap().remove(0).selectors;
        assert_eq!(selectors.variant.unwrap().value, name);
    }
}
