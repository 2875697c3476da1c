//! Whether every index of a record leads somewhere: whoever reads it takes that for granted.

use crate::plan::CellKey;
use crate::record::{Fate, LaunchRecord, RunRecord, Tuning};

/// A session of the plan, and a shape of it where there is one, that something in a record names.
#[derive(Clone, Copy)]
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

    /// The fault where there are so many sessions and shapes.
    fn astray(self, sessions: usize, shapes: usize) -> Option<String> {
        let Named {
            what,
            session,
            shape,
        } = self;
        if session >= sessions {
            return Some(format!(
                "a {what} belongs to session {session} of {sessions}"
            ));
        }
        let shape = shape.filter(|&shape| shape >= shapes)?;
        Some(format!("a {what} is of shape {shape} of {shapes}"))
    }
}

/// The first index that leads nowhere, as a sentence; `None` if all of them lead somewhere.
pub(super) fn astray(record: &RunRecord) -> Option<String> {
    in_plan(record).or_else(|| {
        let sessions = record.plan.sessions.len();
        let shapes = record.plan.shapes.len();
        named(record)
            .chain(record.tuning.iter().flat_map(of_search))
            .find_map(|named| named.astray(sessions, shapes))
    })
}

fn in_plan(record: &RunRecord) -> Option<String> {
    let variants = record.plan.variants.len();
    let sessions = record.plan.sessions.len();
    if record.plan.baseline >= variants {
        return Some(format!(
            "the baseline is variant {} of {variants}",
            record.plan.baseline
        ));
    }
    let recorded = record.variants.len();
    if recorded != variants {
        return Some(format!(
            "{variants} variants were planned and {recorded} are recorded"
        ));
    }
    let tuning = record.plan.tuning.as_ref();
    let bases = tuning.map_or(0, |tuning| tuning.base_sessions_count);
    if bases > sessions {
        return Some(format!(
            "a search begins with {bases} sessions of {sessions}"
        ));
    }
    record
        .plan
        .sessions
        .iter()
        .find(|session| session.variant >= variants)
        .map(|session| format!("a session runs variant {} of {variants}", session.variant))
}

fn named(record: &RunRecord) -> impl Iterator<Item = Named> {
    record
        .cells
        .iter()
        .map(|cell| Named::cell("cell", cell.key))
        .chain(record.launches.iter().flat_map(of_launch))
        .chain(
            record
                .blocks
                .iter()
                .map(|block| Named::cell("block", block.key)),
        )
        .chain(beside_rounds(record))
}

/// Findings of launches beside the rounds.
fn beside_rounds(record: &RunRecord) -> impl Iterator<Item = Named> {
    record
        .lost_workers
        .iter()
        .map(|one| ("lost process", one.session))
        .chain(record.accuracy.iter().map(|one| ("score", one.session)))
        .chain(
            record
                .placements
                .iter()
                .map(|one| ("placement", one.session)),
        )
        .map(|(what, session)| Named::at(what, session, None))
        .chain(
            record
                .operators
                .iter()
                .map(|one| Named::at("profile", one.session, one.shape)),
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

fn of_launch(launch: &LaunchRecord) -> impl Iterator<Item = Named> {
    std::iter::once(Named::at("launch", launch.session, None)).chain(
        launch
            .cells
            .iter()
            .map(|cell| Named::at("cell of a launch", launch.session, cell.shape)),
    )
}

fn of_search(tuning: &Tuning) -> impl Iterator<Item = Named> {
    let of_heats = tuning.heats.iter().flat_map(|heat| {
        [Some(heat.reference), heat.champion]
            .into_iter()
            .flatten()
            .chain(heat.cells.iter().copied())
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
