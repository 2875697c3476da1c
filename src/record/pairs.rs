//! Neighbouring blocks of two cells: what a ratio between them is taken from.

use std::collections::BTreeMap;

use super::BlockRecord;

/// Neighbouring blocks of a candidate and the baseline, round by round.
#[derive(Debug)]
pub struct Pairs<'a> {
    rounds: BTreeMap<u64, Vec<(&'a BlockRecord, &'a BlockRecord)>>,
}

impl<'a> Pairs<'a> {
    /// Pairs the timed blocks of two cells by round and alternation.
    #[must_use]
    pub fn new(candidate: &[&'a BlockRecord], baseline: &[&'a BlockRecord]) -> Self {
        let partners = by_alternation(baseline);
        let mut rounds: BTreeMap<u64, Vec<_>> = BTreeMap::new();
        for ((round, alternation), block) in by_alternation(candidate) {
            if let Some(partner) = partners.get(&(round, alternation)) {
                rounds.entry(round).or_default().push((block, *partner));
            }
        }
        Pairs { rounds }
    }

    /// Natural logarithms of candidate / baseline, round by round. Pairs of which one figure is
    /// zero are left out.
    pub fn log_ratios(&self, figure: impl Fn(&BlockRecord) -> f64) -> Vec<Vec<f64>> {
        self.rounds
            .values()
            .map(|pairs| {
                pairs
                    .iter()
                    .map(|(candidate, baseline)| (figure(candidate) / figure(baseline)).ln())
                    .filter(|ratio| ratio.is_finite())
                    .collect()
            })
            .collect()
    }
}

/// The block that counts of each round and alternation: the last undisturbed one, or the last where
/// all were disturbed.
fn by_alternation<'a>(blocks: &[&'a BlockRecord]) -> BTreeMap<(u64, u64), &'a BlockRecord> {
    let mut chosen: BTreeMap<(u64, u64), &BlockRecord> = BTreeMap::new();
    for &block in blocks {
        let place = chosen
            .entry((block.round, block.alternation))
            .or_insert(block);
        if block.disturbances.is_empty() || !place.disturbances.is_empty() {
            *place = block;
        }
    }
    chosen
}
