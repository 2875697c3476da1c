//! Rounds of log-ratios about a known centre, under noise of several kinds: no processes, much
//! data.

use crate::random::Random;

/// Pairs of neighbouring blocks in a round.
const PAIRS: usize = 8;

/// What disturbs the rounds.
#[derive(Clone, Copy, Debug)]
pub struct RoundNoise {
    /// What it is called.
    pub name: &'static str,
    /// What a launch draws, on the scale of its standard deviation.
    launch: fn(&mut Random) -> f64,
    /// Share of the pairs that a change of the machine's speed falls into.
    hit_share: f64,
    /// Logarithm of that change.
    hit: f64,
    /// Correlation of a pair with the one before.
    rho: f64,
}

const QUIET: RoundNoise = RoundNoise {
    name: "normal",
    launch: Random::normal,
    hit_share: 0.0,
    hit: 0.0,
    rho: 0.0,
};

/// All kinds.
pub const KINDS: [RoundNoise; 6] = [
    QUIET,
    RoundNoise {
        name: "heavy tails (t, 3 degrees)",
        launch: Random::heavy,
        ..QUIET
    },
    RoundNoise {
        name: "10% contaminated launches",
        launch: contaminated,
        ..QUIET
    },
    RoundNoise {
        name: "two speeds",
        hit_share: 0.1,
        hit: 0.405,
        ..QUIET
    },
    RoundNoise {
        name: "bursts",
        hit_share: 0.25,
        hit: 0.693,
        ..QUIET
    },
    RoundNoise {
        name: "autocorrelation",
        rho: 0.9,
        ..QUIET
    },
];

/// One launch in ten has ten times the spread.
fn contaminated(random: &mut Random) -> f64 {
    let spread = if random.uniform() < 0.1 { 10.0 } else { 1.0 };
    spread * random.normal()
}

impl RoundNoise {
    /// Rounds about `centre`; both launches of a round and each of its pairs differ with a spread
    /// of `sd`.
    pub fn rounds(&self, random: &mut Random, count: usize, centre: f64, sd: f64) -> Vec<Vec<f64>> {
        (0..count).map(|_| self.round(random, centre, sd)).collect()
    }

    fn round(&self, random: &mut Random, centre: f64, sd: f64) -> Vec<f64> {
        let launch = sd * ((self.launch)(random) - (self.launch)(random)) / 2_f64.sqrt();
        let mut state = random.normal();
        let pair = |_| {
            state = self.rho * state + (1.0 - self.rho * self.rho).sqrt() * random.normal();
            let is_hit = random.uniform() < self.hit_share;
            let sign = if random.uniform() < 0.5 { 1.0 } else { -1.0 };
            centre + launch + sd * state + if is_hit { sign * self.hit } else { 0.0 }
        };
        (0..PAIRS).map(pair).collect()
    }
}
