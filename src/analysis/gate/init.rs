//! A rule file to begin with, from a run that keeps it.

use std::fmt::Write as _;

use super::{Gate, GateVerdict, Rule, Run, gate, rules};
use crate::analysis::{CellFindings, SessionFindings};
use crate::metric::Metric;
use crate::plan::{CellKey, Shape};

/// Releases differ by some percent for reasons that are nobody's fault.
const HEADROOM: f64 = 0.1;
/// Below the lower end of the interval.
const SCORE_HEADROOM: f64 = 0.005;

/// A rule file that `run` passes: budgets of latency, throughput, memory, size and accuracy of the session that the run
/// advises (the baseline's, where it advises none), and rules that hold it against a baseline run.
#[must_use]
pub fn init(run: Run<'_>) -> String {
    let Some(session) = subject(run) else {
        return String::new();
    };
    let variant = &run.record.plan.variant_of(session.session).name;
    let mut text = format!(
        "# Budgets of {}: what was measured, with {:.0}% of headroom. Change them to what you need.\n",
        quoted(variant),
        HEADROOM * 100.0
    );
    for (check, cell) in candidates(run, session) {
        let entry = entry(
            &check,
            variant,
            cell.map(|cell| (cell.batch_size, &run.record.plan.shapes[cell.shape])),
        );
        if passes(&entry, run) {
            text.push_str(&entry);
        }
    }
    text.push_str(RELATIVE);
    text
}

const RELATIVE: &str = "
# With `--against BASELINE_RUN`, these hold every variant against the same one of that run:
# [[rule]]
# check = \"latency_p50 <= 1.05 x baseline\"
# [[rule]]
# check = \"accuracy_top1 drop <= 0.5 points\"
";

fn subject<'a>(run: Run<'a>) -> Option<&'a SessionFindings> {
    let sessions = &run.findings.sessions;
    let advised = run
        .findings
        .decisions
        .answer
        .latency
        .pick()
        .and_then(|pick| sessions.get(pick.key.session));
    advised.or_else(|| {
        sessions
            .iter()
            .find(|session| session.is_baseline && session.outcome.is_ok())
    })
}

fn candidates(run: Run<'_>, session: &SessionFindings) -> Vec<(String, Option<CellKey>)> {
    let measured = || {
        run.findings
            .cells
            .iter()
            .filter(|cell| cell.key.session == session.session && cell.outcome.is_ok())
    };
    let fastest = measured().min_by_key(|cell| (cell.key.shape, cell.key.batch_size));
    let largest = measured().max_by(|one, other| throughput(one).total_cmp(&throughput(other)));
    let mut checks = Vec::new();
    if let Some(cell) = fastest {
        for metric in [Metric::LatencyP50, Metric::LatencyP99] {
            checks.extend(
                most(cell.figure(metric)).map(|most| (at_most(metric, most), Some(cell.key))),
            );
        }
    }
    if let Some(cell) = largest {
        let least = cell
            .figure(Metric::Throughput)
            .and_then(|estimate| Some(estimate.interval()?.low));
        checks.extend(least.map(|least| {
            (
                format!("throughput >= {} /s", significant(least * (1.0 - HEADROOM))),
                Some(cell.key),
            )
        }));
    }
    for metric in [Metric::ModelMemory, Metric::FileSize] {
        checks.extend(most(session.figure(metric)).map(|most| (at_most(metric, most), None)));
    }
    let score = session
        .figure(Metric::AccuracyTop1)
        .and_then(|estimate| Some(estimate.interval()?.low));
    checks.extend(score.map(|low| {
        (
            format!("accuracy_top1 >= {:.3}", (low - SCORE_HEADROOM).max(0.0)),
            None,
        )
    }));
    checks
}

fn throughput(cell: &CellFindings) -> f64 {
    cell.value(Metric::Throughput).unwrap_or(0.0)
}

/// With headroom; `None` where it is nothing, a share of which is no headroom.
fn most(estimate: Option<&crate::analysis::Estimate>) -> Option<f64> {
    let measured = estimate?.measured()?;
    let high = measured
        .interval
        .map_or(measured.value, |interval| interval.high);
    (high > 0.0).then_some(high * (1.0 + HEADROOM))
}

fn at_most(metric: Metric, most: f64) -> String {
    let units: &[(&str, f64)] = match metric.unit() {
        crate::metric::Unit::Bytes => &[("MB", 1e6), ("kB", 1e3), ("B", 1.0)],
        _ => &[("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)],
    };
    let (unit, factor) = units
        .iter()
        .find(|(_, factor)| most >= *factor)
        .unwrap_or(&units[units.len() - 1]);
    format!("{} <= {} {unit}", metric.name(), significant(most / factor))
}

/// As a plain decimal number.
fn significant(value: f64) -> String {
    let digits = (2.0 - value.abs().max(1e-12).log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.digits$}")
}

fn entry(check: &str, variant: &str, cell: Option<(u64, &Shape)>) -> String {
    let name = quoted(variant);
    let mut entry = format!("\n[[rule]]\ncheck = \"{check}\"\nvariant = {name}\n");
    if let Some((batch_size, shape)) = cell {
        // Writing to a string does not fail.
        let _ = writeln!(entry, "batch_size = {batch_size}");
        if !shape.dims.is_empty() {
            let dims = shape
                .dims
                .iter()
                .map(|(name, size)| format!("{} = {size}", serde_json::Value::from(name.as_str())));
            let _ = writeln!(
                entry,
                "dims = {{ {} }}",
                dims.collect::<Vec<_>>().join(", ")
            );
        }
    }
    entry
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

fn passes(entry: &str, run: Run<'_>) -> bool {
    let judged = |rules: Vec<Rule>| gate(&rules, run, None);
    rules(entry)
        .and_then(judged)
        .is_ok_and(|Gate { verdict, .. }| verdict == GateVerdict::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_so_that_the_rules_are_read_again() {
        let name = "a\"b\\c\n[[rule]]\u{1b}\u{7f}\u{9b}\u{202e}é";
        assert!(!quoted(name).contains(['\n', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}']));
        let found = rules(&entry("latency_p50 <= 5 ms", name, None)).unwrap();
        assert_eq!(found[0].variant.as_deref(), Some(name));
    }
}
