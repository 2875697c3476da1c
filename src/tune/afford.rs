//! Which configurations there is time for, judged by what inferences took so far: those of a trial
//! before the first heat, and then those that were measured.

use std::cmp::Reverse;
use std::time::Duration;

use super::space::Configuration;
use crate::record::{BlockRecord, RunRecord, VariantRecord};
use crate::units::Nanos;

/// Inferences that a configuration needs to have a figure in a round: the first one of its process,
/// and a timed one.
const INFERENCES: u32 = 2;
/// Time that a worker takes besides: its start, loading a small model, and warming up.
const LAUNCH: Duration = Duration::from_secs(1);
/// Share of the time that is left which the first round may take with all that the first heat has
/// room for.
const FIRST_SHARE: f64 = 0.5;

#[derive(Clone, Debug)]
pub(super) struct Purse {
    /// Time that is left.
    left: Duration,
    /// Blocks so far: variant, batch size, and what an inference took.
    measured: Vec<(usize, u64, Nanos)>,
    /// Batch size and time of an inference of a trial before the first heat, if there was one.
    tried: Option<(u64, Nanos)>,
}

impl Purse {
    pub(super) fn of(record: &RunRecord, left: Duration) -> Self {
        Purse {
            left,
            measured: record
                .blocks
                .iter()
                .map(|block| measured(record, block))
                .collect(),
            tried: record.variants.iter().find_map(tried),
        }
    }

    /// Parts configurations into those that can have their turn beside the best one, and those that
    /// cannot.
    pub(super) fn part(
        &self,
        best: &Configuration,
        all: Vec<Configuration>,
    ) -> (Vec<Configuration>, Vec<Configuration>) {
        all.into_iter()
            .partition(|one| self.has_room_for(self.turn(best) + self.turn(one)))
    }

    pub(super) fn has_room_for(&self, round: Duration) -> bool {
        round <= self.left
    }

    /// Whether a first round with all of these might leave too little time: then the defaults are
    /// measured alone first, so that there is something to tell. Nothing is known of it where no
    /// inference was tried.
    pub(super) fn is_tight(&self, first: &[Configuration]) -> bool {
        let is_known = first.iter().any(|one| self.inference(one).is_some());
        let round: Duration = first.iter().map(|one| LAUNCH + self.turn(one)).sum();
        is_known && round > self.left.mul_f64(FIRST_SHARE)
    }

    /// Inferences that a configuration needs in a round; nothing where nothing is known.
    pub(super) fn turn(&self, configuration: &Configuration) -> Duration {
        self.inference(configuration)
            .unwrap_or_default()
            .saturating_mul(INFERENCES)
    }

    /// At worst in proportion to the samples: by the nearest smaller batch of the variant, or the
    /// trial of any.
    fn inference(&self, configuration: &Configuration) -> Option<Duration> {
        let (variant, batch_size) = (configuration.spec.variant, configuration.batch_size);
        let (size, took) = self
            .measured
            .iter()
            .filter(|(of, size, _)| *of == variant && *size <= batch_size)
            .map(|&(_, size, took)| (size, took))
            // Of the same batch size the quickest one counts.
            .max_by_key(|&(size, took)| (size, Reverse(took)))
            .or(self.tried)?;
        let grown = batch_size as f64 / size.max(1) as f64;
        Some(Duration::from(took).mul_f64(grown.max(1.0)))
    }
}

/// Variant, batch size, and what an inference took.
fn measured(record: &RunRecord, block: &BlockRecord) -> (usize, u64, Nanos) {
    (
        record.plan.sessions[block.key.session].variant,
        block.key.batch_size,
        block.mean_ns,
    )
}

/// Batch size and time of the trial of a variant.
fn tried(variant: &VariantRecord) -> Option<(u64, Nanos)> {
    Some((
        variant
            .model
            .as_ref()
            .and_then(|model| model.batch_axis.fixed_size)
            .unwrap_or(1),
        variant.probe.as_ref()?.inference_ns?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{RuntimeChoice, SessionOptions, SessionSpec};
    use crate::provider::CPU_PROVIDER;

    const SECOND: Nanos = Nanos(1_000_000_000);

    fn of(variant: usize, batch_size: u64) -> Configuration {
        let spec = SessionSpec {
            variant,
            runtime: RuntimeChoice::Library("lib.so".into()),
            execution_provider: CPU_PROVIDER.into(),
            provider: Default::default(),
            binding: Default::default(),
            options: SessionOptions::default(),
        };
        Configuration { spec, batch_size }
    }

    fn purse(left: u64, measured: &[(usize, u64, Nanos)], tried: Option<(u64, Nanos)>) -> Purse {
        let (left, measured) = (Duration::from_secs(left), measured.to_vec());
        Purse {
            left,
            measured,
            tried,
        }
    }

    /// Batch sizes of a variant that have their turn, and those that are put aside.
    fn parted(purse: Purse, variant: usize, sizes: &[u64]) -> [Vec<u64>; 2] {
        let all = sizes.iter().map(|&size| of(variant, size)).collect();
        let (fast, slow) = purse.part(&of(0, 1), all);
        [fast, slow].map(|part| part.iter().map(|one| one.batch_size).collect())
    }

    #[test]
    fn batches_that_do_not_end_in_time_are_put_aside() {
        let sizes = [1, 2, 4, 8];
        // Twice the batch of 2 takes 4 s, and twice the best one 2 s.
        let of_one = purse(6, &[(0, 1, SECOND)], None);
        assert_eq!(parted(of_one, 0, &sizes), [[1, 2], [4, 8]]);
        // A larger batch that was measured is known better than in proportion.
        let of_two = purse(6, &[(0, 1, SECOND), (0, 4, SECOND)], None);
        assert_eq!(parted(of_two, 0, &sizes), [sizes.to_vec(), vec![]]);
    }

    #[test]
    fn before_anything_is_measured_a_trial_counts_for_every_variant_and_without_one_nothing_is_put_aside()
     {
        let tried = |left| purse(left, &[], Some((1, SECOND)));
        assert_eq!(parted(tried(4), 1, &[1, 2]), [[1], [2]]);
        let both = [of(0, 1), of(1, 1)];
        assert!(tried(11).is_tight(&both) && !tried(12).is_tight(&both));
        let unknown = purse(0, &[], None);
        assert!(!unknown.is_tight(&[of(0, 64)]));
        assert_eq!(parted(unknown, 0, &[64]), [vec![64], vec![]]);
    }
}
