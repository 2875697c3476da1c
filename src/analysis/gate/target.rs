//! Targets of a rule: cells or sessions of the run.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Target;
use super::under_load;
use super::{Against, LeftOut, Mistake, Rule, RuleError, Run, Selected, Selectors};
use crate::analysis::SessionFindings;
use crate::check::Budget;
use crate::metric::Level;
use crate::plan::{CellKey, Plan, Shape, SweepEnd};
use crate::provider;
use crate::record::{Outcome, RunRecord};
use crate::text::{Plain, distinct};

pub(super) struct Targets<'a> {
    pub(super) counted: Vec<Target<'a>>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Without another run to compare with, the baseline is left out of rules that compare; the older
/// version of what is gated is left out of all.
pub(super) fn targets<'a>(
    rule: &Rule,
    run: Run<'a>,
    against: Against<'_>,
) -> Result<Targets<'a>, RuleError> {
    let mut sessions = sessions(rule, run)?;
    let is_relative = !matches!(rule.check.budget, Budget::Absolute(_));
    match against {
        Against::OwnBaseline if is_relative => sessions.retain(|session| !session.is_baseline),
        Against::OlderVersion => {
            let plan = &run.record.plan;
            sessions.retain(|session| plan.sessions[session.session].variant != plan.baseline);
        }
        Against::OwnBaseline | Against::Run { .. } => {}
    }
    let is_judged = rule.check.budget == Budget::Judgement;
    check_no_load(rule)?;
    if is_judged {
        sessions.retain(|session| !session.is_baseline);
    }
    if sessions.is_empty() {
        return Err(Mistake::BaselineAlone.at(rule.line));
    }
    if rule.check.metric.level() == Level::Cell && !is_judged {
        return cells(rule, run, &sessions);
    }
    check_no_place(rule)?;
    if rule.check.metric.level() == Level::Load && !is_judged {
        return Ok(Targets {
            counted: under_load::targets(rule, run, &sessions)?,
            left_out: Vec::new(),
        });
    }
    let counted = sessions.into_iter().map(|session| Target {
        session,
        cell: None,
        load: None,
    });
    Ok(Targets {
        counted: counted.collect(),
        left_out: Vec::new(),
    })
}

/// Of a metric that is measured without load.
fn check_no_load(rule: &Rule) -> Result<(), RuleError> {
    let metric = rule.check.metric;
    if metric.level() == Level::Load && rule.check.budget != Budget::Judgement {
        return Ok(());
    }
    match rule.selectors.of_load().next() {
        Some((what, line)) => Err(Mistake::NotUnderLoad(metric.key(), what).at(line)),
        None => Ok(()),
    }
}

/// Of a metric that a session has once.
fn check_no_place(rule: &Rule) -> Result<(), RuleError> {
    match rule.selectors.of_cells().next() {
        Some((what, line)) => {
            let named = match rule.check.budget {
                Budget::Judgement => "ship",
                Budget::Absolute(_) | Budget::TimesBaseline(_) | Budget::Drop(_) => {
                    rule.check.metric.key()
                }
            };
            Err(Mistake::OfSession(named, what).at(line))
        }
        None => Ok(()),
    }
}

/// Those that are all of what the rule names.
fn sessions<'a>(rule: &Rule, run: Run<'a>) -> Result<Vec<&'a SessionFindings>, RuleError> {
    let Selectors {
        variant,
        ep,
        runtime,
        ..
    } = &rule.selectors;
    let named = [
        VARIANT.of(run, variant)?,
        EXECUTION_PROVIDER.of(run, ep)?,
        RUNTIME.of(run, runtime)?,
        bound(rule, run)?,
    ];
    let mut sessions: Vec<&SessionFindings> = run.findings.sessions.iter().collect();
    sessions.retain(|session| named.iter().all(|named| named.contains(&session.session)));
    if sessions.is_empty() {
        return Err(Mistake::Nothing.at(rule.line));
    }
    Ok(sessions)
}

/// How sessions are selected by a name.
struct Names {
    what: &'static str,
    is_named: fn(Run<'_>, &SessionFindings, &str) -> bool,
    /// The name of a session that a message tells.
    word: fn(&RunRecord, usize) -> String,
}

const VARIANT: Names = Names {
    what: "variant",
    is_named: is_variant,
    word: |record, session| record.plan.variant_of(session).name.exact().to_owned(),
};

const EXECUTION_PROVIDER: Names = Names {
    what: "execution provider",
    is_named: is_ep,
    word: ep_word,
};

const RUNTIME: Names = Names {
    what: "runtime",
    is_named: is_runtime,
    word: runtime_word,
};

impl Names {
    /// Sessions that are what was named; all where nothing was.
    fn of(
        &self,
        run: Run<'_>,
        selected: &Option<Selected<String>>,
    ) -> Result<Vec<usize>, RuleError> {
        let sessions = run.findings.sessions.iter();
        let Some(Selected { value, line }) = selected else {
            return Ok(sessions.map(|session| session.session).collect());
        };
        let found: Vec<usize> = sessions
            .filter(|session| (self.is_named)(run, session, value))
            .map(|session| session.session)
            .collect();
        if found.is_empty() {
            let sessions = 0..run.record.plan.sessions.len();
            let known = distinct(sessions.map(|session| (self.word)(run.record, session)));
            let known = listed(known.iter().map(|name| format!("`{name}`")));
            return Err(Mistake::Unknown(self.what, value.clone(), known).at(*line));
        }
        Ok(found)
    }
}

fn is_variant(run: Run<'_>, session: &SessionFindings, name: &str) -> bool {
    let variant = run.record.plan.variant_of(session.session);
    variant.name == name
        || session.label == name
        || variant.path.file_stem().is_some_and(|stem| stem == name)
}

fn is_ep(run: Run<'_>, session: &SessionFindings, name: &str) -> bool {
    let identifier = &run.record.plan.sessions[session.session].execution_provider;
    *identifier == name || *identifier == provider::identifier(name)
}

fn is_runtime(run: Run<'_>, session: &SessionFindings, name: &str) -> bool {
    let path = run.record.plan.sessions[session.session].runtime.path();
    let version = run.record.runtime_of(session.session);
    path.as_os_str() == name
        || runtime_word(run.record, session.session) == name
        || version.is_some_and(|runtime| runtime.version == name)
}

/// Short name of a session's execution provider.
pub(super) fn ep_word(record: &RunRecord, session: usize) -> String {
    provider::short_name(record.plan.sessions[session].execution_provider.exact())
}

/// Build and version of a session's library (`cpu@1.31.1`); its file where it was never opened.
pub(super) fn runtime_word(record: &RunRecord, session: usize) -> String {
    let spec = &record.plan.sessions[session];
    match record.runtime_of(session) {
        Some(runtime) if !spec.is_scripted() && !spec.is_remote() => {
            let providers = runtime.execution_providers.iter();
            let build = provider::build_with(providers.map(Plain::exact));
            format!("{build}@{}", runtime.version.exact())
        }
        _ => spec.runtime.path().display().to_string(),
    }
}

fn bound(rule: &Rule, run: Run<'_>) -> Result<Vec<usize>, RuleError> {
    let sessions = run.record.plan.sessions.iter().enumerate();
    let Some(Selected { value, line }) = &rule.selectors.binding else {
        return Ok(sessions.map(|(session, _)| session).collect());
    };
    let found: Vec<usize> = sessions
        .filter(|(_, spec)| spec.binding == *value)
        .map(|(session, _)| session)
        .collect();
    if found.is_empty() {
        let known = distinct(run.record.plan.sessions.iter().map(|spec| spec.binding));
        let known = listed(known.iter().map(|binding| format!("`{}`", binding.word())));
        return Err(Mistake::Unknown("binding", value.word().into(), known).at(*line));
    }
    Ok(found)
}

fn listed(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn cells<'a>(
    rule: &Rule,
    run: Run<'a>,
    sessions: &[&'a SessionFindings],
) -> Result<Targets<'a>, RuleError> {
    check_named(rule, &run.record.plan)?;
    let (mut counted, mut unmeasured, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let meant = meant(rule, run, sessions);
    if meant.is_empty() {
        return Err(Mistake::Nothing.at(rule.line));
    }
    for target in meant {
        match needless(rule, run, &target) {
            Some(needless) => {
                left_out.push(needless);
                unmeasured.push(target);
            }
            None => counted.push(target),
        }
    }
    if counted.is_empty() {
        (counted, left_out) = (unmeasured, Vec::new());
    }
    Ok(Targets { counted, left_out })
}

fn meant<'a>(rule: &Rule, run: Run<'a>, sessions: &[&'a SessionFindings]) -> Vec<Target<'a>> {
    let plan = &run.record.plan;
    let mut targets = Vec::new();
    for &session in sessions {
        targets.extend(
            run.findings
                .cells
                .iter()
                .filter(|cell| {
                    cell.key.session == session.session && is_meant(rule, plan, cell.key)
                })
                .map(|cell| Target {
                    session,
                    cell: Some(cell),
                    load: None,
                }),
        );
    }
    targets
}

fn is_meant(rule: &Rule, plan: &Plan, key: CellKey) -> bool {
    let Selectors {
        batch_size,
        concurrency,
        shape,
        dims,
        ..
    } = &rule.selectors;
    let own = &plan.shapes[key.shape];
    is_it(batch_size, |size| *size == key.batch_size)
        && is_it(concurrency, |count| *count == key.load_mode.threads_count())
        && is_it(shape, |name| is_called(own, name))
        && is_it(dims, |dims| has_sizes(own, dims))
}

/// Also where nothing is named.
fn is_it<T>(selected: &Option<Selected<T>>, is: impl Fn(&T) -> bool) -> bool {
    selected.as_ref().is_none_or(|selected| is(&selected.value))
}

fn is_called(shape: &Shape, name: &str) -> bool {
    shape.name.as_ref().is_some_and(|own| *own == name) || shape.to_string() == name
}

fn has_sizes(shape: &Shape, dims: &BTreeMap<String, u64>) -> bool {
    dims.iter()
        .all(|(name, size)| shape.dims.get(&name.as_str().into()) == Some(size))
}

fn check_named(rule: &Rule, plan: &Plan) -> Result<(), RuleError> {
    let selectors = &rule.selectors;
    check_number("batch size", &selectors.batch_size, &plan.batch_sizes)?;
    let modes = plan.load_modes.iter();
    let concurrencies: Vec<u64> = modes.map(|mode| mode.threads_count()).collect();
    check_number("concurrency", &selectors.concurrency, &concurrencies)?;
    check_shape(&selectors.shape, plan)?;
    check_dims(&selectors.dims, plan)
}

fn check_number(
    what: &'static str,
    selected: &Option<Selected<u64>>,
    known: &[u64],
) -> Result<(), RuleError> {
    match selected {
        Some(Selected { value, line }) if !known.contains(value) => {
            let known = listed(known.iter().map(u64::to_string));
            Err(Mistake::UnknownNumber(what, *value, known).at(*line))
        }
        Some(_) | None => Ok(()),
    }
}

const NOT_SWEPT: &str = "none: it swept no dimension";

fn check_shape(selected: &Option<Selected<String>>, plan: &Plan) -> Result<(), RuleError> {
    let Some(Selected { value, line }) = selected else {
        return Ok(());
    };
    if plan.shapes.iter().any(|shape| is_called(shape, value)) {
        return Ok(());
    }
    let known = if plan.is_swept() {
        listed(plan.shapes.iter().map(|shape| format!("`{shape}`")))
    } else {
        NOT_SWEPT.into()
    };
    Err(Mistake::Unknown("shape", value.clone(), known).at(*line))
}

fn check_dims(
    selected: &Option<Selected<BTreeMap<String, u64>>>,
    plan: &Plan,
) -> Result<(), RuleError> {
    let Some(Selected { value, line }) = selected else {
        return Ok(());
    };
    for (name, &size) in value {
        let known = plan
            .shapes
            .iter()
            .filter_map(|shape| shape.dims.get(&name.as_str().into()));
        let known: BTreeSet<u64> = known.copied().collect();
        if !known.contains(&size) {
            let known = if known.is_empty() {
                "it swept no such dimension".into()
            } else {
                listed(known.iter().map(u64::to_string))
            };
            return Err(Mistake::UnknownSize(name.clone(), size, known).at(*line));
        }
    }
    Ok(())
}

/// A cell that nobody named and that the run did not measure, where the sweep ended on its own
/// terms.
fn needless(rule: &Rule, run: Run<'_>, target: &Target<'_>) -> Option<LeftOut> {
    let plan = &run.record.plan;
    let named = rule.selectors.batch_size.is_some() || plan.sweep_end == SweepEnd::Listed;
    if named || !target.session.outcome.is_ok() {
        return None;
    }
    let key = target.cell?.key;
    let Outcome::Skipped { reason } = &run.record.cell(key)?.outcome else {
        return None;
    };
    Some(LeftOut {
        line: rule.line,
        session: target.session.label.clone().into(),
        batch_size: key.batch_size,
        place_words: place_words(plan, key),
        reason: reason.clone(),
    })
}

/// Shape and load mode of a cell, as they follow its batch size where there are several of them.
pub(super) fn place_words(plan: &Plan, key: CellKey) -> Plain {
    let load = plan.load_words(key.load_mode);
    let load = load.map(|load| format!(", {load}")).unwrap_or_default();
    format!("{}{load}", plan.shape_words(key.shape)).into()
}
