//! Knowledge of a value while an input is taken to hold one number everywhere.

/// Values up to this one keep nothing where they are added to scores: `exp` of it is 0 even in half
/// precision.
const LEAVES_OUT: f64 = -1e3;
/// How well a value does that neither keeps nor leaves out exactly, such as a factor of 2.
const CHANGES: f64 = 0.9;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Guess {
    /// A share of the elements, from 0 to 1, is `yes`, the others are `no`.
    Blend { share: f64, yes: f64, no: f64 },
    /// These elements in one dimension; one that is not known is not a number.
    List(Vec<f64>),
    /// 0, 1, 2 ... along an axis of this size, as far as it is known.
    Places(Option<f64>),
    /// Nothing.
    Data,
}

/// The use of an input's elements by an operator, as far as it shows how much is computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sign {
    pub kind: SignKind,
    /// Share of the data that counts.
    pub share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignKind {
    /// They say which elements of the data count.
    Mask,
    /// They are added to scores.
    Bias,
    /// They multiply or divide the data.
    Scale,
    /// They count elements of an axis whose size is not known.
    Length,
    /// They choose a branch: the first one, if the share is 1.
    Branch,
    /// They are data, or something that nothing here knows of.
    Other,
}

impl SignKind {
    /// Whether it shows how much of the data counts.
    pub fn judges(self) -> bool {
        matches!(self, SignKind::Mask | SignKind::Bias | SignKind::Scale)
    }
}

impl Sign {
    pub fn of(kind: SignKind, share: Option<f64>) -> Option<Sign> {
        share.map(|share| Sign { kind, share })
    }

    /// A length that is compared with places along an axis whose size is not known.
    pub const LENGTH: Sign = Sign {
        kind: SignKind::Length,
        share: 1.0,
    };
}

/// The results of an operator, and the use of its operands that it shows.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub result: Guess,
    pub sign: Option<Sign>,
}

impl From<Guess> for Evaluated {
    fn from(result: Guess) -> Evaluated {
        Evaluated { result, sign: None }
    }
}

impl Evaluated {
    /// Nothing is known of the results.
    pub fn data(sign: Option<Sign>) -> Evaluated {
        Evaluated {
            result: Guess::Data,
            sign,
        }
    }

    /// Of an operator that nothing here knows of: what is known of its operands ends there.
    pub fn other(operands: &[Guess]) -> Evaluated {
        let known = operands.iter().any(|operand| *operand != Guess::Data);
        Evaluated::data(Sign::of(SignKind::Other, known.then_some(1.0)))
    }
}

impl Guess {
    /// One number everywhere.
    pub fn all(value: f64) -> Guess {
        Guess::Blend {
            share: 1.0,
            yes: value,
            no: value,
        }
    }

    /// One number everywhere, where it is known.
    pub fn known(value: Option<f64>) -> Guess {
        value.map_or(Guess::Data, Guess::all)
    }

    /// A list, or its only number.
    pub fn list(values: Vec<f64>) -> Guess {
        match values[..] {
            [value] => Guess::known(Some(value).filter(|value| !value.is_nan())),
            _ => Guess::List(values),
        }
    }

    pub fn uniform(&self) -> Option<f64> {
        match *self {
            Guess::Blend { share, yes, no } if share >= 1.0 || yes == no => Some(yes),
            Guess::Blend { share: 0.0, no, .. } => Some(no),
            _ => None,
        }
    }

    /// The number that an operand holds everywhere, if it is there and holds one.
    pub fn uniform_of(operands: &[Guess], operand: usize) -> Option<f64> {
        operands.get(operand).and_then(Guess::uniform)
    }

    pub fn map(&self, change: impl Fn(f64) -> f64) -> Guess {
        match self {
            Guess::Blend { share, yes, no } => Guess::Blend {
                share: *share,
                yes: change(*yes),
                no: change(*no),
            },
            Guess::List(values) => Guess::List(values.iter().copied().map(change).collect()),
            Guess::Places(_) | Guess::Data => Guess::Data,
        }
    }

    pub fn zip(&self, other: &Guess, combine: impl Fn(f64, f64) -> f64) -> Guess {
        if let Some(value) = other.uniform() {
            return self.map(|own| combine(own, value));
        }
        if let Some(value) = self.uniform() {
            return other.map(|theirs| combine(value, theirs));
        }
        match (self, other) {
            (Guess::List(one), Guess::List(two)) if one.len() == two.len() => {
                let pairs = one.iter().zip(two);
                Guess::List(pairs.map(|(&one, &two)| combine(one, two)).collect())
            }
            (
                &Guess::Blend { share, yes, no },
                &Guess::Blend {
                    share: same,
                    yes: one,
                    no: two,
                },
            ) if share == same => Guess::Blend {
                share,
                yes: combine(yes, one),
                no: combine(no, two),
            },
            _ => Guess::Data,
        }
    }

    /// Share of the data that counts, if an element counts as much as `worth` says.
    pub fn worth(&self, worth: impl Fn(f64) -> f64) -> Option<f64> {
        match *self {
            Guess::Blend { share, yes, no } => Some(share * worth(yes) + (1.0 - share) * worth(no)),
            _ => None,
        }
    }
}

/// The worth of an element that is added to data.
pub(super) fn added(value: f64) -> f64 {
    match value {
        value if value.is_nan() || value <= LEAVES_OUT => 0.0,
        0.0 => 1.0,
        _ => CHANGES,
    }
}

/// The worth of an element that data is multiplied or divided by.
pub(super) fn multiplied(value: f64) -> f64 {
    match value {
        value if value.is_nan() || value <= LEAVES_OUT || value == 0.0 => 0.0,
        1.0 => 1.0,
        _ => CHANGES,
    }
}

pub(super) fn truth(value: f64) -> f64 {
    if value.is_nan() || value == 0.0 {
        0.0
    } else {
        1.0
    }
}
