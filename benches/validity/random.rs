//! Random numbers of known distributions.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// A source of random numbers.
pub struct Random(Pcg64);

impl Random {
    /// The source of one experiment: `place` tells the experiments of a seed apart.
    pub fn new(seed: u64, place: u64) -> Self {
        Random(Pcg64::seed_from_u64(
            seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place,
        ))
    }

    /// Uniform from 0 to 1, 1 excluded.
    pub fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// Student's t with 3 degrees of freedom, divided by its standard deviation.
    pub fn heavy(&mut self) -> f64 {
        let square: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        self.normal() / square.sqrt()
    }
}
