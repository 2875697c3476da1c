//! What a run under load measures next, by what was asked.
//!
//! It decides and measures nothing: [`Demand`] answers with the next segment from the record alone,
//! so that the same record leads to the same step. Candidates (a session in one way of serving)
//! take turns segment by segment within a round, in the same requests at the same times.

mod capacity;
mod course;
mod floor;
mod places;
#[cfg(test)]
mod tests;

use crate::analysis::load::capacity::{Seen, limits};
use crate::plan::{Question, Scenario};
use crate::record::{EndReason, RunRecord};
use crate::runner::{Clock, LoadGuide, LoadMove};
use course::Course;

/// The guide of a run under load.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// Segments of the record, read; those that do not count are absent.
    seen: Vec<Option<Seen>>,
}

impl Demand {
    /// Reads the segments that are new.
    fn read(&mut self, record: &RunRecord) {
        let Some(plan) = &record.plan.load else {
            return;
        };
        let limits = limits(&plan.slo);
        let segments = record.load.iter().flat_map(|load| &load.segments);
        let new = segments.skip(self.seen.len());
        self.seen
            .extend(new.map(|segment| Seen::of(segment, &limits)));
    }
}

impl LoadGuide for Demand {
    fn next(&mut self, record: &RunRecord, clock: Clock) -> LoadMove {
        self.read(record);
        let Some(course) = Course::of(record, self.seen.iter().flatten().collect(), clock) else {
            return course::end(EndReason::NothingLeft);
        };
        if let Some(end) = floor::broken(&course) {
            return end;
        }
        match &course.plan.question {
            Question::Capacity | Question::Scenario(Scenario::Server) => capacity::next(&course),
            Question::Curve { .. }
            | Question::Stress
            | Question::Soak { .. }
            | Question::Users { .. }
            | Question::Scenario(
                Scenario::SingleStream | Scenario::MultiStream | Scenario::Offline,
            ) => places::next(&course),
        }
    }
}
