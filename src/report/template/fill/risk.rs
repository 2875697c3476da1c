//! Risks of following the best advice, and how to undo it.

use super::{
    Found, NO_BASELINE, NOT_GIVEN, Source, advice, all, not_measured, number, plain, words,
};
use crate::analysis::Action;
use crate::report::template::keys::{Degradation, ImplementationRisk, RegressionRisk};

pub(super) fn of_advice(field: ImplementationRisk, source: Source<'_>) -> Found {
    let Some(advice) = source.findings.decisions.advice.first() else {
        return NOT_GIVEN;
    };
    match field {
        ImplementationRisk::Category => Ok(advice::area(source, advice)),
        ImplementationRisk::Description => Ok(advice::risk(advice)),
        ImplementationRisk::RollbackPlan => match advice.action {
            Action::Ship { .. } => rollback(source),
            _ => Ok("undo the change: the model's file stays the same".into()),
        },
        ImplementationRisk::Probability
        | ImplementationRisk::Impact
        | ImplementationRisk::MitigationStrategy => NOT_GIVEN,
    }
}

pub(super) fn regression(field: RegressionRisk) -> Found {
    match field {
        RegressionRisk::Risk => NOT_GIVEN,
        RegressionRisk::Detection => Ok("onnxprof gate holds every run against rules".into()),
        RegressionRisk::Prevention => {
            Ok("measure each change beside the baseline on one machine, as this run did".into())
        }
    }
}

pub(super) fn degradation(field: Degradation, source: Source<'_>) -> Found {
    match field {
        Degradation::Risk => accuracy(source),
        Degradation::Monitoring => scoring_again(source),
        Degradation::Rollback => rollback(source),
    }
}

fn accuracy(source: Source<'_>) -> Found {
    let others = source.measured().filter(|session| !session.is_baseline);
    all(
        others.map(|session| format!("{}: {}", plain(&session.label), words::accuracy(session))),
        "there is no other variant to compare",
    )
}

pub(super) fn scoring_again(source: Source<'_>) -> Found {
    let Some(samples) = source.judged().and_then(|judged| judged.compared_count()) else {
        return not_measured(
            "the run held outputs against nothing; give labelled data with `--data`",
        );
    };
    let width = source.findings.score_resolution().map(|width| {
        format!(
            ", which resolve a score to ± {}",
            number::points(width).trim_start_matches('+')
        )
    });
    Ok(format!(
        "score again with the same {} samples{}",
        number::count(samples),
        width.unwrap_or_default()
    ))
}

fn rollback(source: Source<'_>) -> Found {
    let Some(baseline) = source.baseline() else {
        return not_measured(NO_BASELINE);
    };
    let variant = source.record.plan.sessions[baseline.session].variant;
    let sum = source.record.variants[variant]
        .sha256
        .as_ref()
        .map(|sum| format!(" (SHA-256 {sum})"));
    Ok(format!(
        "put the baseline's file {} back{}; inputs and outputs are the same",
        plain(
            &source.record.plan.variants[variant]
                .path
                .display()
                .to_string()
        ),
        sum.unwrap_or_default()
    ))
}
