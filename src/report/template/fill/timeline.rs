//! The schedule of the model's optimization: what of it this run has done, and what it advises.

use super::advised::advised as pieces;
use crate::analysis::{Action, Untried};
use crate::report::chapters::advice;
use crate::report::chapters::bottlenecks::command;
use crate::report::template::found::{Found, Kind, measured, not_measured, some, told};
use crate::report::template::keys::Timeline;
use crate::report::words::text::plain;
use crate::report::words::{self, Source, number};

pub(super) fn timeline(field: Timeline, source: Source<'_>) -> Found {
    let (step, found) = match field {
        Timeline::Profiling => (
            "Model profiling and bottleneck identification",
            profiled(source),
        ),
        Timeline::Architecture => (
            "Model architecture optimization",
            advised(source, |action| matches!(action, Action::Ship { .. })),
        ),
        Timeline::Pipeline => (
            "Inference pipeline optimization",
            advised(source, |action| !matches!(action, Action::Ship { .. })),
        ),
        Timeline::Hardware => ("Hardware acceleration implementation", hardware(source)),
    };
    let found = found.map_or_else(|absent| vec![absent.to_string()], |told| told.lines);
    let lines = std::iter::once(step.to_owned()).chain(found);
    told(Kind::Stated, lines.collect())
}

/// Sessions whose operators were profiled, each with the one that takes the most time.
fn profiled(source: Source<'_>) -> Found {
    let rooflines = &source.findings.causes.rooflines;
    let lines = rooflines.iter().map(|profile| {
        let longest = profile.nodes.first();
        let longest = longest.map(|node| {
            format!(
                ": node {} ({}) takes {}",
                node.name,
                node.operator,
                number::share(node.share.0)
            )
        });
        format!(
            "profiled: {} at {}{}",
            source.name(profile.session),
            source.batch(profile.shape, profile.batch_size),
            longest.unwrap_or_default()
        )
    });
    some(Kind::Measured, lines, "the run knows no times of operators")
}

fn advised(source: Source<'_>, is_of: fn(&Action) -> bool) -> Found {
    let lines = pieces(source)
        .iter()
        .filter(|advice| is_of(&advice.action))
        .map(|one| format!("{}: {}", advice::area(source, one), advice::gain(one)));
    some(Kind::Measured, lines, "the run shows no such gain")
}

/// Execution providers that were measured, and those that were not with the commands that do.
fn hardware(source: Source<'_>) -> Found {
    let sessions = source.record.plan.sessions.iter();
    let used = words::once(sessions.map(|session| plain(&session.execution_provider)));
    let untried = source.findings.decisions.not_tried.iter().filter(|found| {
        matches!(
            found.what,
            Untried::ExecutionProvider(_)
                | Untried::OfAnotherBuild(_)
                | Untried::DeviceBinding
                | Untried::CapturedGraphs
        )
    });
    let untried = untried.map(|found| format!("not tried: {}", command(&found.command)));
    if used.is_empty() {
        return not_measured("the run has no session");
    }
    let mut lines = measured(format!("measured: {}", words::listed(used)))?;
    lines.lines.extend(untried);
    Ok(lines)
}
