//! Facts of a graph about the open dimensions of its inputs.

use std::collections::BTreeMap;

use super::Expr;

/// Facts of a model's graph about the open dimensions of its inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShapeFacts {
    /// The open dimensions; [`Expr::Dim`] is an index into them.
    pub dims: Vec<OpenDim>,
    /// Demands of operators on them.
    pub demands: Vec<Demand>,
    /// Sizes of the outputs by name; absent where not even their number is known.
    pub outputs: BTreeMap<String, Option<Vec<Expr>>>,
    /// Why sizes of outputs may differ from inference to inference though those of the inputs do
    /// not, as a fragment of a sentence; absent where they cannot.
    pub varying: Option<String>,
    /// Whether what an input holds chooses a branch, other than within a loop.
    pub has_choice: bool,
}

impl ShapeFacts {
    /// The open dimension at an axis of an input.
    #[must_use]
    pub fn dim_at(&self, input: &str, axis: usize) -> Option<usize> {
        dim_at(&self.dims, input, axis)
    }
}

pub(super) fn dim_at(dims: &[OpenDim], input: &str, axis: usize) -> Option<usize> {
    dims.iter().position(|dim| {
        dim.places
            .iter()
            .any(|place| place.input == input && place.axis == axis)
    })
}

/// An open dimension of a model's inputs: a symbol, or one place without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDim {
    /// Its name for `--dim`: the symbol, or `INPUT.AXIS` where it has none or one that a converter
    /// made up.
    pub name: String,
    /// Where it stands.
    pub places: Vec<InputAxis>,
    /// The things that it counts, as far as the operators that read it show.
    pub role: Option<DimRole>,
}

/// An axis of an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputAxis {
    /// Name of the input.
    pub input: String,
    /// The axis.
    pub axis: usize,
}

/// Things that a dimension counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DimRole {
    /// Samples, independent of each other.
    Batch,
    /// Colours.
    Channels,
    /// Rows of an image.
    Height,
    /// Columns of an image.
    Width,
    /// Tokens of a text.
    Tokens,
    /// Tokens of which keys and values are kept from before.
    Past,
    /// Samples of a sound.
    Audio,
    /// Frames of a sound's spectrum, or of a series.
    Frames,
    /// Features that a matrix is multiplied with.
    Features,
}

/// A demand of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// The relation that must hold.
    pub relation: Relation,
    /// By which operator, as a fragment of a sentence: ``Conv `conv1` has kernels of 3 channels``.
    pub reason: String,
}

/// A relation between sizes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Both are the same.
    Equal(Expr, Expr),
    /// Both are the same, or one of them is 1.
    Broadcast(Expr, Expr),
    /// The first is at most the other.
    AtMost(Expr, u64),
    /// The first is at least the other.
    AtLeast(Expr, u64),
    /// The first is a multiple of the other.
    MultipleOf(Expr, u64),
}
