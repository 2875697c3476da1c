//! A search for the best session options: what took turns with what, and what was decided on which
//! evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Slo;
use crate::plan::CellKey;
use crate::text::Plain;
use crate::units::Nanos;

/// The whole of a search, in the order in which it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tuning {
    /// Configurations that took turns with each other, heat by heat.
    pub heats: Vec<Heat>,
    /// Decisions about configurations, in their order.
    pub decisions: Vec<Decision>,
    /// When the search was taken up again, as wall time that it had taken until then.
    pub resumed_at_ns: Vec<Nanos>,
}

/// Some configurations that take turns with each other, in fresh processes in every round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heat {
    /// Number of the heat, from 0.
    pub number: u64,
    /// Its purpose.
    pub stage: Stage,
    /// The best configuration so far, which takes part.
    pub reference: CellKey,
    /// Those that take part, the reference among them.
    pub cells: Vec<CellKey>,
    /// Numbers of the rounds that are done.
    pub rounds: Vec<u64>,
    /// Numbers of rounds after which the figures were looked at.
    pub looks: Vec<u64>,
    /// The best configuration when it ended; absent while it goes on.
    pub champion: Option<CellKey>,
}

/// The purpose of a heat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Variants, execution providers, threads and batch sizes, all other options at their defaults.
    Grid,
    /// The best configuration with one option changed.
    Options,
    /// The best ones against each other and against the defaults.
    Final,
}

/// The fate of a configuration, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The configuration.
    pub key: CellKey,
    /// Number of the heat; absent if it was decided before any.
    pub heat: Option<u64>,
    /// Rounds of the heat behind it.
    pub rounds_count: u64,
    /// The decision.
    pub fate: Fate,
}

/// The fate of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum Fate {
    /// It is the best so far.
    Champion {
        /// The one that it took the place of, and what speaks for it; absent if it was the only
        /// one.
        over: Option<Contest>,
    },
    /// Another one that keeps the SLO is better.
    Worse(Contest),
    /// It does not keep the SLO, even at the favourable end of the interval.
    BreaksSlo(SloBreach),
    /// Its accuracy fell by more than is allowed, even at the favourable end of the interval.
    LessAccurate {
        /// The fall of top-1 accuracy against the baseline, as a share; below zero is a fall.
        difference: Bounded,
        /// The fall that is allowed, as a share above zero.
        allowed_ratio: f64,
    },
    /// Its outputs hold values that are not numbers, which the baseline's do not.
    NotFinite,
    /// It could not be measured.
    Failed {
        /// Why not.
        reason: Plain,
    },
    /// It does as well as the best one, within the noise floor.
    Tied(Contest),
    /// It was not tried, because the same session at a smaller batch size does not keep the SLO
    /// already.
    BeyondSlo {
        /// The smaller batch size.
        batch_size: u64,
        /// The checks that it did not keep.
        #[schemars(with = "String")]
        check: Slo,
    },
}

/// Two configurations that took turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contest {
    /// The other one.
    pub against: CellKey,
    /// The objective's cost over that of the other one: above 1 is worse.
    pub cost_ratio: Bounded,
    /// Two-sided probability of such rounds if both were the same.
    pub p_different: f64,
    /// Two-sided probability of a false decision that was allowed for.
    pub error: f64,
}

/// A check that a configuration did not keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloBreach {
    /// The check, as written.
    #[schemars(with = "String")]
    pub check: Slo,
    /// The figure, in its base unit.
    pub figure: Bounded,
    /// The limit, in the same unit.
    pub budget: f64,
}

/// A value with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bounded {
    /// The value.
    pub value: f64,
    /// Lower end of the interval; absent where there is none.
    pub low: Option<f64>,
    /// Upper end; absent likewise.
    pub high: Option<f64>,
}

impl Fate {
    /// Whether the configuration is out of the race.
    #[must_use]
    pub fn is_out(&self) -> bool {
        !matches!(self, Fate::Champion { .. } | Fate::Tied(_))
    }
}

impl Tuning {
    /// The heat that goes on.
    #[must_use]
    pub fn open_heat(&self) -> Option<&Heat> {
        self.heats.last().filter(|heat| heat.champion.is_none())
    }

    /// Rounds of all heats.
    pub fn rounds(&self) -> impl Iterator<Item = u64> {
        self.heats.iter().flat_map(|heat| &heat.rounds).copied()
    }

    /// The best configuration so far; `None` before the first heat has ended.
    #[must_use]
    pub fn champion(&self) -> Option<CellKey> {
        self.heats.iter().rev().find_map(|heat| heat.champion)
    }

    /// The last decision about a configuration.
    #[must_use]
    pub fn fate(&self, key: CellKey) -> Option<&Fate> {
        self.decisions
            .iter()
            .rev()
            .find(|decision| decision.key == key)
            .map(|decision| &decision.fate)
    }

    /// Whether a configuration is out of the race.
    #[must_use]
    pub fn is_out(&self, key: CellKey) -> bool {
        self.fate(key).is_some_and(Fate::is_out)
    }
}
