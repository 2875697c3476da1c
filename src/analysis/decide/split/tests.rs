//! Splits of made-up ratios.

use super::*;
use crate::analysis::Counted;
use crate::plan::{LoadMode, RuntimeChoice, SessionOptions};
use crate::provider::CPU_PROVIDER;

/// A variant with some threads.
fn spec(variant: usize, intra_threads: u64) -> SessionSpec {
    SessionSpec {
        variant,
        runtime: RuntimeChoice::Library("a".into()),
        execution_provider: CPU_PROVIDER.into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions {
            intra_threads,
            ..SessionOptions::default()
        },
    }
}

fn at(session: usize, batch_size: u64) -> CellKey {
    CellKey {
        session,
        shape: 0,
        batch_size,
        load_mode: LoadMode::SINGLE,
    }
}

/// How good each measured setting is; those in `alone` took no turns with others.
struct Known {
    worth: Vec<(CellKey, f64)>,
    alone: Vec<CellKey>,
}

impl Known {
    fn of(&self, key: CellKey) -> Option<f64> {
        let mut worth = self.worth.iter();
        worth
            .find(|(known, _)| *known == key)
            .map(|(_, worth)| *worth)
    }
}

impl Ratios for Known {
    fn ratio(&self, from: CellKey, to: CellKey) -> Option<StepRatio> {
        let takes_turns = !self.alone.contains(&from) && !self.alone.contains(&to);
        let factor = self.of(to)? / self.of(from)?;
        takes_turns.then(|| StepRatio {
            factor: Estimate::exact(factor, 8, Counted::Launches),
            basis: StepBasis::InTurns,
        })
    }

    fn is_measured(&self, key: CellKey) -> bool {
        self.of(key).is_some()
    }
}

/// Causes and factor of each step, and how many settings they could not be split at.
fn steps(split: &GainSplit) -> Vec<(Vec<GainCause>, f64, usize)> {
    let steps = split.steps.iter();
    steps
        .map(|step| {
            let factor = step.factor.value().unwrap();
            (step.causes.clone(), factor, step.unsplit.len())
        })
        .collect()
}

const BETWEEN: Between = Between {
    metric: Metric::Throughput,
    from: CellKey {
        session: 0,
        shape: 0,
        batch_size: 1,
        load_mode: LoadMode::SINGLE,
    },
    to: CellKey {
        session: 2,
        shape: 0,
        batch_size: 8,
        load_mode: LoadMode::SINGLE,
    },
};

#[test]
fn every_cause_has_a_step_where_every_setting_was_measured() {
    let sessions = [spec(0, 1), spec(1, 1), spec(1, 2)];
    let worth = vec![
        (at(0, 1), 1.0),
        (at(1, 1), 2.0),
        (at(1, 8), 6.0),
        (at(2, 8), 9.0),
    ];
    let alone = Vec::new();
    let split = BETWEEN.split(&sessions, &Known { worth, alone }).unwrap();
    assert_eq!(
        steps(&split),
        [
            (vec![GainCause::Variant], 2.0, 0),
            (vec![GainCause::Batch], 3.0, 0),
            (vec![GainCause::Threads], 1.5, 0)
        ]
    );
    let product: f64 = steps(&split).iter().map(|(_, factor, _)| factor).product();
    assert!((product - split.factor.value().unwrap()).abs() < 1e-12);
}

#[test]
fn causes_share_a_step_where_a_setting_between_them_gives_no_ratio() {
    let sessions = [spec(0, 1), spec(1, 1), spec(1, 2)];
    let worth = vec![(at(0, 1), 1.0), (at(1, 8), 6.0), (at(2, 8), 9.0)];
    let known = Known {
        worth,
        alone: Vec::new(),
    };
    let split = BETWEEN.split(&sessions, &known).unwrap();
    assert_eq!(
        steps(&split),
        [
            (vec![GainCause::Variant, GainCause::Batch], 6.0, 1),
            (vec![GainCause::Threads], 1.5, 0)
        ]
    );
    assert_eq!(
        split.steps[0].unsplit,
        [Unsplit {
            cell: Some(at(1, 1)),
            is_measured: false
        }]
    );
    let known = Known {
        alone: vec![at(1, 8)],
        ..known
    };
    let split = BETWEEN.split(&sessions, &known).unwrap();
    let all = vec![GainCause::Variant, GainCause::Batch, GainCause::Threads];
    assert_eq!(steps(&split), [(all, 9.0, 2)]);
    assert!(split.steps[0].unsplit[1].is_measured);
}

#[test]
fn setting_that_the_run_does_not_have_is_no_place_between() {
    let sessions = [spec(0, 1), spec(1, 4), spec(1, 2)];
    let worth = vec![(at(0, 1), 1.0), (at(2, 8), 9.0)];
    let alone = Vec::new();
    let split = BETWEEN.split(&sessions, &Known { worth, alone }).unwrap();
    let unsplit = &split.steps[0].unsplit;
    assert_eq!((split.steps.len(), unsplit.len()), (1, 2));
    assert!(
        unsplit
            .iter()
            .all(|one| one.cell.is_none() && !one.is_measured)
    );
}

#[test]
fn one_cause_alone_is_not_split_and_neither_is_a_gain_that_is_not_known() {
    let sessions = [spec(0, 1), spec(1, 1), spec(1, 1)];
    let between = |to| Between { to, ..BETWEEN };
    let worth = vec![(at(0, 1), 1.0), (at(1, 1), 2.0), (at(0, 8), 3.0)];
    let known = Known {
        worth,
        alone: Vec::new(),
    };
    assert_eq!(between(at(1, 1)).split(&sessions, &known), None);
    assert_eq!(between(at(0, 8)).split(&sessions, &known), None);
    assert_eq!(between(at(1, 8)).split(&sessions, &known), None);
}

#[test]
fn options_beside_threads_are_a_cause_of_their_own() {
    let mut other = spec(1, 2);
    other.options.allow_spinning = Some(false);
    assert_eq!(options(&spec(0, 1), &other), Some(GainCause::Options));
    assert_eq!(options(&spec(0, 1), &spec(1, 2)), Some(GainCause::Threads));
    assert_eq!(options(&spec(0, 1), &spec(1, 1)), None);
}
