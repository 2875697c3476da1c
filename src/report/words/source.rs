//! A record and its findings, from which everything for people is worded.

use std::ops::Deref;
use std::slice;

use crate::analysis::{
    Answer, BatchCurve, CellFindings, Choice, Findings, JudgedOutputs, Pick, RunJudgement,
    SessionFindings, single_place,
};
use crate::metric::Metric;
use crate::plan::{CellKey, Workload};
use crate::record::RunRecord;
use crate::report::words::phrases::counted;
use crate::report::words::text::plain;

/// A record and its findings, from which everything for people is worded.
#[derive(Clone, Copy)]
pub(in crate::report) struct Source<'a> {
    pub(in crate::report) record: &'a RunRecord,
    pub(in crate::report) findings: &'a Findings,
}

impl<'a> Source<'a> {
    pub(in crate::report) fn about<T>(self, found: &'a T) -> About<'a, T> {
        let source = self;
        About { source, found }
    }

    pub(in crate::report) fn session(self, session: usize) -> &'a SessionFindings {
        &self.findings.sessions[session]
    }

    /// A session's name, harmless.
    pub(in crate::report) fn name(self, session: usize) -> String {
        plain(&self.session(session).label)
    }

    pub(in crate::report) fn baseline(self) -> Option<&'a SessionFindings> {
        self.findings
            .sessions
            .iter()
            .find(|session| session.is_baseline)
    }

    pub(in crate::report) fn judgement(self) -> &'a RunJudgement {
        &self.findings.decisions.judgement
    }

    pub(in crate::report) fn baseline_name(self) -> String {
        self.baseline()
            .map_or_else(|| "the baseline".into(), |session| plain(&session.label))
    }

    pub(in crate::report) fn sessions(self) -> slice::Iter<'a, SessionFindings> {
        self.findings.sessions.iter()
    }

    /// The sessions that could be measured.
    pub(in crate::report) fn measured(self) -> impl Iterator<Item = &'a SessionFindings> {
        self.sessions().filter(|session| session.outcome.is_ok())
    }

    pub(in crate::report) fn cells(self) -> slice::Iter<'a, CellFindings> {
        self.findings.cells.iter()
    }

    pub(in crate::report) fn curves(self) -> slice::Iter<'a, BatchCurve> {
        self.findings.batch_curves.iter()
    }

    pub(in crate::report) fn answer(self) -> &'a Answer {
        &self.findings.decisions.answer
    }

    /// Recommendations for latency, then for throughput.
    pub(in crate::report) fn picks(self) -> impl Iterator<Item = &'a Pick> {
        let answer = self.answer();
        let choices = [&answer.latency, &answer.throughput].into_iter();
        choices.filter_map(Choice::pick)
    }

    pub(in crate::report) fn cell(self, key: CellKey) -> Option<&'a CellFindings> {
        self.findings.cell(key)
    }

    pub(in crate::report) fn judged(self) -> Option<JudgedOutputs> {
        JudgedOutputs::of(self.record, self.findings)
    }

    /// The cells for single predictions, measured or not.
    pub(in crate::report) fn single(self) -> Vec<&'a CellFindings> {
        let Some(at) = self.single_place() else {
            return Vec::new();
        };
        self.findings
            .cells
            .iter()
            .filter(|cell| cell.key.workload() == at)
            .collect()
    }

    /// Where single predictions were measured, or where they would have been.
    pub(in crate::report) fn single_place(self) -> Option<Workload> {
        let plan = &self.record.plan;
        single_place(plan, &self.findings.cells).or_else(|| {
            Some(Workload {
                shape: 0,
                batch_size: *plan.batch_sizes.first()?,
                load: *plan.load_modes.first()?,
            })
        })
    }

    /// `batch 1`, or `batch 1, seq 64`, of single predictions.
    pub(in crate::report) fn single_batch(self) -> String {
        self.single_place().map_or_else(
            || "batch 1".into(),
            |at| self.batch(at.shape, at.batch_size),
        )
    }

    /// `batch 8`, or `batch 8, seq 64` where dimensions are swept.
    pub(in crate::report) fn batch(self, shape: usize, batch_size: u64) -> String {
        format!(
            "batch {batch_size}{}",
            plain(&self.record.plan.shape_words(shape))
        )
    }

    /// `seq 64`; `None` where no dimension is swept.
    pub(in crate::report) fn shape(self, shape: usize) -> Option<String> {
        Some(plain(
            &self
                .record
                .plan
                .shapes
                .get(shape)
                .filter(|shape| !shape.dims.is_empty())?
                .to_string(),
        ))
    }

    /// `at batch 4`, the shape where dimensions are swept, and the load where the plan has several
    /// or one other than 1.
    pub(in crate::report) fn at(self, key: CellKey) -> String {
        self.under_load(format!("at {}", self.batch(key.shape, key.batch_size)), key)
    }

    /// `int8 at batch 4`: a session's name, and [`Source::at`].
    pub(in crate::report) fn place(self, key: CellKey) -> String {
        format!("{} {}", self.name(key.session), self.at(key))
    }

    /// Like [`Source::at`], without the shape.
    pub(in crate::report) fn at_batch(self, key: CellKey) -> String {
        self.under_load(format!("at batch {}", key.batch_size), key)
    }

    /// `from 3 inferences`, or `from 4 launches`: what stands behind a cell that has no interval.
    pub(in crate::report) fn behind(self, key: CellKey) -> String {
        let median = self
            .cell(key)
            .and_then(|cell| cell.figure(Metric::LatencyP50)?.measured());
        median
            .map(|median| format!("from {}", counted(median)))
            .unwrap_or_default()
    }

    fn under_load(self, batch: String, key: CellKey) -> String {
        match self.record.plan.load_words(key.load_mode) {
            Some(load) => format!("{batch} with {load}"),
            None => batch,
        }
    }
}

/// A finding, with all that it is worded from.
pub(in crate::report) struct About<'a, T> {
    pub(in crate::report) source: Source<'a>,
    pub(in crate::report) found: &'a T,
}

impl<'a, T> Deref for About<'a, T> {
    type Target = Source<'a>;

    fn deref(&self) -> &Source<'a> {
        &self.source
    }
}
