//! Distances between requests, with a mean of 1.

use rand::RngExt;
use rand_distr::{Distribution, Exp1, Gamma};
use rand_pcg::Pcg64Mcg;

/// How distances are drawn.
#[derive(Debug)]
pub enum Distances {
    /// All alike.
    Constant,
    /// Independent, exponential.
    Exponential,
    /// Independent, of a gamma distribution.
    Gamma(Gamma<f64>),
    /// None within a burst; exponential between bursts.
    Bursts {
        size: u64,
        /// Requests of the burst that are still to come.
        left: u64,
    },
    /// Those of a trace, again and again.
    Trace { distances: Vec<f64>, next: usize },
}

impl Distances {
    /// With a standard deviation of `variation` times the mean; those of 0 are all alike.
    pub(super) fn gamma(variation: f64) -> Self {
        let square = variation * variation;
        Gamma::new(1.0 / square, square).map_or(Distances::Constant, Distances::Gamma)
    }

    pub(super) fn bursts(size: u64) -> Self {
        Distances::Bursts {
            size: size.max(1),
            left: 0,
        }
    }

    pub(super) fn trace(distances: Vec<f64>) -> Self {
        Distances::Trace { distances, next: 0 }
    }

    pub(super) fn draw(&mut self, random: &mut Pcg64Mcg) -> f64 {
        match self {
            Distances::Constant => 1.0,
            Distances::Exponential => random.sample(Exp1),
            Distances::Gamma(gamma) => gamma.sample(random),
            Distances::Bursts { size, left } => {
                if *left > 0 {
                    *left -= 1;
                    return 0.0;
                }
                *left = *size - 1;
                *size as f64 * random.sample::<f64, _>(Exp1)
            }
            Distances::Trace { distances, next } => {
                let distance = distances[*next];
                *next = (*next + 1) % distances.len();
                distance
            }
        }
    }
}
