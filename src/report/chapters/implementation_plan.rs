//! The implementation plan: advice as tasks, in a phase for each effort.

use serde::Serialize;

use super::advice::{area, effort, gain, level, nature, risk};
use super::bottlenecks::Entry;
use crate::analysis::{Advice, Level};
use crate::report::words::Source;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseView {
    /// `Phase 1: Quick Wins (Weeks 1-2)`.
    pub title: &'static str,
    /// `Low-effort, high-impact optimizations`.
    pub kind: &'static str,
    /// The tasks; one that says why there is none where there is none.
    pub tasks: Vec<Entry>,
}

pub(super) fn phases(source: Source<'_>) -> Vec<PhaseView> {
    PHASES.iter().map(|phase| phase.view(source)).collect()
}

/// A phase of the implementation plan: the advice of one effort.
struct Phase {
    effort: Level,
    title: &'static str,
    kind: &'static str,
    /// Label of the last field of its tasks.
    last: &'static str,
}

const PHASES: [Phase; 3] = [
    Phase {
        effort: Level::Low,
        title: "Phase 1: Quick Wins (Weeks 1-2)",
        kind: "Low-effort, high-impact optimizations",
        last: "Risk Assessment",
    },
    Phase {
        effort: Level::Medium,
        title: "Phase 2: Medium-term Optimizations (Weeks 3-6)",
        kind: "Moderate-effort optimizations with significant impact",
        last: "Dependencies",
    },
    Phase {
        effort: Level::High,
        title: "Phase 3: Strategic Optimizations (Weeks 7-12)",
        kind: "High-effort optimizations with transformational impact",
        last: "Risk Mitigation",
    },
];

impl Phase {
    fn view(&self, source: Source<'_>) -> PhaseView {
        let mut tasks = self.tasks(source);
        if tasks.is_empty() {
            tasks.push(self.no_task());
        }
        PhaseView {
            title: self.title,
            kind: self.kind,
            tasks,
        }
    }

    fn tasks(&self, source: Source<'_>) -> Vec<Entry> {
        source
            .findings
            .decisions
            .advice
            .iter()
            .filter(|advice| advice.effort == self.effort)
            .map(|advice| self.task(source, advice))
            .collect()
    }

    fn task(&self, source: Source<'_>, advice: &Advice) -> Entry {
        let nature = nature(&advice.action);
        let ending = match self.effort {
            Level::Low => risk(advice),
            Level::Medium => nature.dependencies.to_owned(),
            Level::High => format!(
                "{}; keep the baseline deployed beside it until `onnxprof gate` passes there",
                risk(advice)
            ),
        };
        let texts = [
            nature.description.to_owned(),
            gain(advice),
            effort(advice),
            ending,
        ];
        Entry::labelled(area(source, advice), &self.labels(), texts)
    }

    fn no_task(&self) -> Entry {
        let none = format!(
            "none: no measured gain takes {} effort",
            level(self.effort).to_lowercase()
        );
        Entry::labelled("No task", &self.labels(), std::iter::repeat(none))
    }

    fn labels(&self) -> [&'static str; 4] {
        [
            "Description",
            "Expected Improvement",
            "Implementation Effort",
            self.last,
        ]
    }
}
