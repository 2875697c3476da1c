//! How many samples a session computes in a time, by shape and batch size, and the places that are
//! profiled for it.

use std::collections::BTreeMap;

use crate::plan::CellKey;
use crate::record::RunRecord;

/// A shape and a batch size, in the order in which they are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub shape: usize,
    pub batch_size: u64,
}

impl Place {
    pub(super) fn of(key: CellKey) -> Place {
        Place {
            shape: key.shape,
            batch_size: key.batch_size,
        }
    }
}

/// Samples per nanosecond in the median block of a session, by shape and batch size.
pub(super) type Rates = BTreeMap<Place, f64>;

pub(super) fn rates(record: &RunRecord, session: usize) -> Rates {
    let mut rates: BTreeMap<Place, Vec<f64>> = BTreeMap::new();
    for block in record
        .blocks
        .iter()
        .filter(|block| block.key.session == session)
    {
        rates
            .entry(Place::of(block.key))
            .or_default()
            .push(block.predictions() / block.elapsed_ns.as_f64().max(1.0));
    }
    let rates = rates.into_iter();
    rates.map(|(place, rates)| (place, median(rates))).collect()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

pub(super) fn smallest(rates: &Rates) -> Option<Place> {
    rates.keys().next().copied()
}

pub(super) fn fastest(rates: &Rates) -> Option<Place> {
    let first = smallest(rates)?.shape;
    rates
        .iter()
        .filter(|(place, _)| place.shape == first)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(&place, _)| place)
}

pub(super) fn last_shape(rates: &Rates) -> Option<Place> {
    let (last, _) = rates.last_key_value()?;
    rates
        .keys()
        .find(|place| place.shape == last.shape)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_shape_is_profiled_at_two_batch_sizes_and_the_last_one_at_its_smallest() {
        let at = |shape, batch_size| Place { shape, batch_size };
        let rates = Rates::from([
            (at(0, 1), 0.5),
            (at(0, 8), 2.0),
            (at(0, 64), 1.5),
            (at(2, 4), 3.0),
            (at(2, 8), 4.0),
        ]);
        assert_eq!(
            (smallest(&rates), fastest(&rates), last_shape(&rates)),
            (Some(at(0, 1)), Some(at(0, 8)), Some(at(2, 4)))
        );
        assert_eq!(
            (fastest(&Rates::new()), last_shape(&Rates::new())),
            (None, None)
        );
    }
}
