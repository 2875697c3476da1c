//! Whether every index of a record leads somewhere: whoever reads it takes that for granted.

use crate::plan::CellKey;
use crate::record::{Fate, RunRecord, Tuning};

/// A session of the plan, and a shape of it where there is one, that something in a record names.
#[derive(Clone, Copy, Debug)]
struct Named {
    what: &'static str,
    session: usize,
    shape: Option<usize>,
}

impl Named {
    fn at(what: &'static str, session: usize, shape: impl Into<Option<usize>>) -> Named {
        Named {
            what,
            session,
            shape: shape.into(),
        }
    }

    fn cell(what: &'static str, key: CellKey) -> Named {
        Named::at(what, key.session, key.shape)
    }
}

/// The first index that leads nowhere, as a sentence; `None` if all of them lead somewhere.
pub(super) fn astray(record: &RunRecord) -> Option<String> {
    in_plan(record).or_else(|| {
        let (sessions, shapes) = (record.plan.sessions.len(), record.plan.shapes.len());
        let wrong = |named: Named| match named {
            Named { what, session, .. } if session >= sessions => Some(format!(
                "a {what} belongs to session {session} of {sessions}"
            )),
            Named {
                what,
                shape: Some(shape),
                ..
            } if shape >= shapes => Some(format!("a {what} is of shape {shape} of {shapes}")),
            Named { .. } => None,
        };
        named(record)
            .chain(record.tuning.iter().flat_map(of_search))
            .find_map(wrong)
    })
}

fn in_plan(record: &RunRecord) -> Option<String> {
    let (variants, sessions) = (record.plan.variants.len(), record.plan.sessions.len());
    if record.plan.baseline >= variants {
        return Some(format!(
            "the baseline is variant {} of {variants}",
            record.plan.baseline
        ));
    }
    if record.variants.len() != variants {
        return Some(format!(
            "{} variants were planned and {} are recorded",
            variants,
            record.variants.len()
        ));
    }
    let bases = record
        .plan
        .tuning
        .as_ref()
        .map_or(0, |tuning| tuning.base_sessions_count);
    if bases > sessions {
        return Some(format!(
            "a search begins with {bases} sessions of {sessions}"
        ));
    }
    let astray = record
        .plan
        .sessions
        .iter()
        .find(|session| session.variant >= variants);
    astray.map(|session| format!("a session runs variant {} of {variants}", session.variant))
}

fn named(record: &RunRecord) -> impl Iterator<Item = Named> + '_ {
    let of_launches = record.launches.iter().flat_map(|launch| {
        let cells = launch
            .cells
            .iter()
            .map(|cell| Named::at("cell of a launch", launch.session, cell.shape));
        std::iter::once(Named::at("launch", launch.session, None)).chain(cells)
    });
    (record
        .cells
        .iter()
        .map(|cell| Named::cell("cell", cell.key)))
    .chain(of_launches)
    .chain(
        record
            .blocks
            .iter()
            .map(|block| Named::cell("block", block.key)),
    )
    .chain(
        record
            .lost_workers
            .iter()
            .map(|lost| Named::at("lost worker", lost.session, None)),
    )
    .chain(
        record
            .accuracy
            .iter()
            .map(|accuracy| Named::at("score", accuracy.session, None)),
    )
    .chain(
        record
            .placements
            .iter()
            .map(|placement| Named::at("placement", placement.session, None)),
    )
    .chain(
        record
            .operators
            .iter()
            .map(|profile| Named::at("profile", profile.session, profile.shape)),
    )
    .chain(
        record
            .contrasts
            .iter()
            .map(|one| Named::at("contrast", one.session, one.shape)),
    )
    .chain(
        record
            .idle_gaps
            .iter()
            .map(|one| Named::at("measurement after idle gaps", one.session, one.shape)),
    )
}

fn of_search(tuning: &Tuning) -> impl Iterator<Item = Named> + '_ {
    let of_heats = tuning.heats.iter().flat_map(|heat| {
        let ends = [Some(heat.reference), heat.champion];
        ends.into_iter().flatten().chain(heat.cells.iter().copied())
    });
    let of_decisions = tuning.decisions.iter().flat_map(|decision| {
        let against = match &decision.fate {
            Fate::Champion { over } => over.as_ref(),
            Fate::Worse(contest) | Fate::Tied(contest) => Some(contest),
            _ => None,
        };
        std::iter::once(decision.key).chain(against.map(|contest| contest.against))
    });
    of_heats
        .chain(of_decisions)
        .map(|key| Named::cell("configuration of the search", key))
}
