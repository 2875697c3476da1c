//! In which order sessions take turns, so that none always follows the same other.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use crate::plan::Workload;

/// A shuffle drawn from the seed that is rotated by one and reversed every other time. For two
/// sessions that is ABBA.
pub(super) fn turns(sessions: &[usize], draw: Draw, alternation: u64) -> Vec<usize> {
    let mut order = sessions.to_vec();
    order.sort_unstable();
    let place = draw.at.batch_size.rotate_left(32) ^ (draw.at.shape as u64).rotate_left(16);
    let stream = draw.seed ^ draw.round.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place;
    order.shuffle(&mut Pcg64Mcg::seed_from_u64(stream));
    if !order.is_empty() {
        let turn = (alternation / 2) as usize % order.len();
        order.rotate_left(turn);
    }
    if alternation % 2 == 1 {
        order.reverse();
    }
    order
}

#[derive(Clone, Copy)]
pub(in crate::runner) struct Draw {
    pub seed: u64,
    pub round: u64,
    pub at: Workload,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::LoadMode;

    const AT: Workload = Workload {
        shape: 0,
        batch_size: 8,
        load: LoadMode::SINGLE,
    };
    const DRAW: Draw = Draw {
        seed: 7,
        round: 3,
        at: AT,
    };

    #[test]
    fn the_order_is_drawn_from_the_seed_and_two_sessions_alternate_as_abba() {
        assert_eq!(turns(&[0, 1, 2, 3], DRAW, 0), turns(&[3, 2, 1, 0], DRAW, 0));
        let mut second = turns(&[0, 1], DRAW, 1);
        second.reverse();
        assert_eq!(turns(&[0, 1], DRAW, 0), second);
    }

    #[test]
    fn every_session_has_one_turn_in_an_alternation_and_takes_every_place() {
        for alternation in 0..9 {
            let mut order = turns(&[4, 1, 2], DRAW, alternation);
            order.sort_unstable();
            assert_eq!(order, [1, 2, 4]);
        }
        let places: std::collections::BTreeSet<usize> = (0..6)
            .filter_map(|alternation| {
                turns(&[0, 1, 2], DRAW, alternation)
                    .iter()
                    .position(|&s| s == 0)
            })
            .collect();
        assert_eq!(places.len(), 3);
    }
}
