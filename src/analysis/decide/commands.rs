//! The commands that advice prints: the plan of the run, cut down to what the advice is about, in
//! words.

use std::path::PathBuf;

use crate::plan::{
    CellKey, Command, InputRequest, Named, Plan, RuntimeChoice, SessionSpec, SweepEnd,
};
use crate::record::RunRecord;

/// At the cell's shape and `batch_sizes`, under the same options and with the same data.
pub(super) fn compare_with_baseline(
    record: &RunRecord,
    key: CellKey,
    batch_sizes: &[u64],
) -> Command {
    let plan = &record.plan;
    let baseline = plan
        .baseline_session()
        .filter(|&baseline| baseline != key.session);
    let sessions: Vec<&SessionSpec> = baseline
        .into_iter()
        .chain([key.session])
        .map(|at| &plan.sessions[at])
        .collect();
    let mut variants = vec![plan.baseline, plan.sessions[key.session].variant];
    variants.dedup();
    Command::of(&Plan {
        batch_sizes: batch_sizes.to_vec(),
        sweep_end: SweepEnd::Listed,
        shapes: plan.shapes.get(key.shape).cloned().into_iter().collect(),
        ..part(record, &variants, &sessions)
    })
}

pub(super) fn as_baseline(record: &RunRecord) -> Plan {
    as_session(
        record,
        record
            .plan
            .baseline_session()
            .map(|at| &record.plan.sessions[at]),
    )
}

/// For all models that could be read.
pub(super) fn as_session(record: &RunRecord, session: Option<&SessionSpec>) -> Plan {
    part(
        record,
        &(0..record.plan.variants.len())
            .filter(|&at| {
                record
                    .variants
                    .get(at)
                    .is_some_and(|found| found.outcome.is_ok())
            })
            .collect::<Vec<_>>(),
        session.as_slice(),
    )
}

/// Without what is measured beside the comparison of the sessions.
fn part(record: &RunRecord, variants: &[usize], sessions: &[&SessionSpec]) -> Plan {
    let plan = record.plan.clone();
    let is_whole = variants.len() == plan.variants.len();
    let cut = Plan {
        named: Named {
            models: plan.named.models.into_iter().filter(|_| is_whole).collect(),
            ..plan.named
        },
        variants: variants
            .iter()
            .map(|&at| plan.variants[at].clone())
            .collect(),
        baseline: place(variants, plan.baseline),
        sessions: sessions
            .iter()
            .map(|&spec| SessionSpec {
                variant: place(variants, spec.variant),
                ..spec.clone()
            })
            .collect(),
        idle_gaps_ns: Vec::new(),
        inputs: InputRequest {
            data: plan.inputs.data.or_else(|| found_data(record)),
            ..plan.inputs
        },
        tuning: None,
        load: None,
        ..plan
    };
    cut.seen_from(&record.run.working_dir)
}

/// The value for `--runtime` that leads to a library of the run.
pub(super) fn runtime_word(record: &RunRecord, choice: &RuntimeChoice) -> String {
    let named = &record.plan.named;
    if named.releases.contains_key(choice.path()) {
        named.runtime_word(choice)
    } else {
        choice.seen_from(&record.run.working_dir).word()
    }
}

/// Of a variant among those that are kept; the first one's where it is not.
fn place(kept: &[usize], variant: usize) -> usize {
    kept.iter().position(|&kept| kept == variant).unwrap_or(0)
}

fn found_data(record: &RunRecord) -> Option<PathBuf> {
    let source = &record.dataset.as_ref()?.source;
    (!record.has_made_up_inputs()).then(|| source.exact().into())
}
