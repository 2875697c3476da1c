//! Which sessions of several runs stand over each other, and where they are compared.

use crate::analysis::CellFindings;
use crate::analysis::comparison::{Comparisons, NamedRun, Pair, PairedCell};
use crate::metric::Metric;
use crate::plan::Workload;
use crate::report::words::{Source, plain};

/// Runs, what each is against the first, and the shape, batch size and load that leading figures are
/// taken at.
pub(super) struct Overlay<'a> {
    pub(super) runs: Vec<Source<'a>>,
    pub(super) comparisons: &'a Comparisons,
    /// In terms of the first run's plan: where it measured single predictions if all runs did, else
    /// the first place that all of them measured, else the first run's own.
    pub(super) at: Option<Workload>,
}

/// Sessions of one variant, one of each run that has it.
pub(super) struct Group<'a> {
    pub(super) label: String,
    pub(super) members: Vec<Member<'a>>,
}

/// A session of one run.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) run: usize,
    pub(super) session: usize,
    /// Against the first run; absent in the first run, and where that has nothing to compare it with.
    pub(super) pair: Option<&'a Pair>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(runs: &'a [NamedRun<'a>], comparisons: &'a Comparisons) -> Self {
        let sources = runs.iter().map(|run| Source {
            record: run.record(),
            findings: &run.findings,
        });
        let mut overlay = Overlay {
            runs: sources.collect(),
            comparisons,
            at: None,
        };
        overlay.at = overlay.place();
        overlay
    }

    fn place(&self) -> Option<Workload> {
        let first = self.runs.first()?;
        let single = first.single_place()?;
        let common = std::iter::once(single)
            .chain(first.record.plan.workloads())
            .find(|&at| (0..self.runs.len()).all(|run| self.is_measured(run, at)));
        Some(common.unwrap_or(single))
    }

    fn is_measured(&self, run: usize, at: Workload) -> bool {
        let Some(at) = self.same_place(run, at) else {
            return false;
        };
        let mut cells = self.runs[run].cells();
        cells.any(|cell| cell.key.workload() == at && is_timed(cell))
    }

    /// A place of the first run in terms of another one's plan.
    fn same_place(&self, run: usize, at: Workload) -> Option<Workload> {
        let shape = self.runs[0]
            .record
            .plan
            .same_shape(at.shape, &self.runs[run].record.plan)?;
        Some(Workload { shape, ..at })
    }

    /// `batch 1`, or `batch 1, seq 64`.
    pub(super) fn at_words(&self) -> String {
        let Some((at, first)) = self.at.zip(self.runs.first()) else {
            return "batch 1".into();
        };
        match first.record.plan.load_words(at.load) {
            Some(load) => format!("{} with {load}", first.batch(at.shape, at.batch_size)),
            None => first.batch(at.shape, at.batch_size),
        }
    }

    /// Cell of a member where leading figures are taken.
    pub(super) fn cell(&self, member: Member<'_>) -> Option<&'a CellFindings> {
        let at = self.same_place(member.run, self.at?)?;
        self.runs[member.run].cell(at.of(member.session))
    }

    /// The same cell against that of the first run.
    pub(super) fn paired(&self, pair: &'a Pair) -> Option<&'a PairedCell> {
        let at = self.same_place(pair.candidate.run, self.at?)?;
        pair.cells.iter().find(|cell| {
            (cell.shape, cell.batch_size, cell.load_mode) == (at.shape, at.batch_size, at.load)
        })
    }

    /// Cells of a member with the shape and load of the leading figures, at every batch size.
    pub(super) fn sweep(&self, member: Member<'_>) -> Vec<&'a CellFindings> {
        let at = self.at.and_then(|at| self.same_place(member.run, at));
        let Some(at) = at else {
            return Vec::new();
        };
        self.runs[member.run]
            .cells()
            .filter(|cell| cell.key.session == member.session)
            .filter(|cell| (cell.key.shape, cell.key.load_mode) == (at.shape, at.load))
            .collect()
    }

    /// All sessions of which something can be told: those of the first run with what is compared with
    /// them, then those that only other runs have.
    pub(super) fn groups(&self) -> Vec<Group<'a>> {
        let mut groups = self.of_first_run();
        for member in self.left_over() {
            let label = self.label(member);
            match groups.iter_mut().find(|group| group.label == label) {
                Some(group) => group.members.push(member),
                None => groups.push(Group {
                    label,
                    members: vec![member],
                }),
            }
        }
        groups.retain(|group| group.members.iter().any(|&one| self.is_told(one)));
        groups
    }

    fn of_first_run(&self) -> Vec<Group<'a>> {
        let Some(first) = self.runs.first() else {
            return Vec::new();
        };
        let pairs = &self.comparisons.pairs;
        first
            .sessions()
            .map(|session| {
                let others = pairs
                    .iter()
                    .filter(|pair| pair.baseline.session == session.session);
                let own = Member {
                    run: 0,
                    session: session.session,
                    pair: None,
                };
                Group {
                    label: plain(&session.label),
                    members: std::iter::once(own).chain(others.map(Member::of)).collect(),
                }
            })
            .collect()
    }

    /// Sessions of other runs that are compared with nothing.
    fn left_over(&self) -> impl Iterator<Item = Member<'a>> {
        let pairs = &self.comparisons.pairs;
        let others = self.runs.iter().enumerate().skip(1);
        others
            .flat_map(|(run, source)| source.sessions().map(move |one| (run, one.session)))
            .filter(|&(run, session)| {
                !pairs
                    .iter()
                    .any(|pair| (pair.candidate.run, pair.candidate.session) == (run, session))
            })
            .map(|(run, session)| Member {
                run,
                session,
                pair: None,
            })
    }

    pub(super) fn label(&self, member: Member<'_>) -> String {
        self.runs[member.run].name(member.session)
    }

    fn is_told(&self, member: Member<'_>) -> bool {
        let session = self.runs[member.run].session(member.session);
        !session.outcome.is_ok() || self.cell(member).is_some()
    }
}

impl<'a> Member<'a> {
    fn of(pair: &'a Pair) -> Self {
        Member {
            run: pair.candidate.run,
            session: pair.candidate.session,
            pair: Some(pair),
        }
    }
}

fn is_timed(cell: &CellFindings) -> bool {
    let p50 = cell.figure(Metric::LatencyP50);
    p50.is_some_and(|p50| p50.measured().is_some())
}

/// `run 2`, of its index.
pub(super) fn run_name(run: usize) -> String {
    format!("run {}", run + 1)
}
