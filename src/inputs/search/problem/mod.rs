//! The open dimensions of a model as unknowns: which are one, which follow from others, and what is
//! asked of them.

mod builder;
mod follow;

use super::names::words;
use super::{
    Demand, Expr, Graph, InputAxis, InputError, InputRequest, Kind, Relation, Result, SizeSource,
    TensorInfo, dims_of, input_of,
};
use crate::record::Dim;

/// Open dimensions that are one size, or a factor that only names of dimensions speak of.
#[derive(Clone, Debug)]
pub(super) struct Unknown {
    /// Its name for `--dim`.
    pub name: String,
    pub names: Vec<String>,
    /// Where it stands; nowhere for a factor.
    pub places: Vec<InputAxis>,
    pub kind: Kind,
    /// Whether operators show what it counts.
    pub is_shown: bool,
    /// The size that it is to have: the user's, or that of a shape that models of its kind are
    /// asked about.
    pub asked: Option<u64>,
    pub asked_by: SizeSource,
    /// The only size that an operator takes, and why.
    pub fixed: Option<(u64, String)>,
    /// Expressions that it follows, the first that can be computed.
    pub derived: Vec<Derivation>,
}

impl Unknown {
    /// Whether it stands in an input.
    pub fn has_places(&self) -> bool {
        !self.places.is_empty()
    }

    /// Order in which sizes are guessed: those that follow from others come later.
    pub fn rank(&self) -> (bool, Kind) {
        (!self.derived.is_empty(), self.kind)
    }

    pub fn stands_in(&self, input: &str) -> bool {
        self.places.iter().any(|place| place.input == input)
    }

    fn stands_at(&self, input: &str, axis: usize) -> bool {
        self.places
            .iter()
            .any(|place| place.input == input && place.axis == axis)
    }

    fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name) && self.has_places()
    }

    /// Whether every input where it stands begins with it.
    fn is_first(&self) -> bool {
        self.places.iter().all(|place| place.axis == 0)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Derivation {
    /// The expression; its dimensions are unknowns.
    pub expr: Expr,
    pub from: String,
}

#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub unknowns: Vec<Unknown>,
    /// Demands; [`Expr::Dim`] is an index into the unknowns.
    pub demands: Vec<Demand>,
    pub outputs: Vec<Expr>,
    /// Whether what an input holds chooses a branch, as in decoders that were merged.
    pub has_choice: bool,
    /// Whether a name says that one token follows what was kept, in a model that cannot be asked
    /// otherwise.
    pub takes_one_token: bool,
}

impl Problem {
    pub fn at(&self, input: &str, axis: usize) -> Option<usize> {
        self.unknowns
            .iter()
            .position(|unknown| unknown.stands_at(input, axis))
    }

    /// The unknown that `--dim` or the file calls so, or that stands at `INPUT.AXIS`.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.unknowns
            .iter()
            .position(|unknown| unknown.is_called(name))
            .or_else(|| {
                let (input, axis) = name.rsplit_once('.')?;
                self.at(input, axis.parse().ok()?)
            })
    }

    /// Notes that nobody asked for the size that it is to have.
    pub fn note_made_up(&mut self, name: &str) {
        if let Some(index) = self.named(name) {
            self.unknowns[index].asked_by = SizeSource::MadeUp;
        }
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = usize> {
        (0..self.unknowns.len()).filter(move |&index| self.unknowns[index].kind == kind)
    }

    pub fn words(&self, expr: &Expr) -> String {
        words(expr, &|index| self.unknowns[index].name.clone())
    }
}

/// The sides of a relation that takes them for one size.
fn alike(relation: &Relation) -> Option<[&Expr; 2]> {
    let (Relation::Equal(one, other) | Relation::Broadcast(one, other)) = relation else {
        return None;
    };
    Some([one, other])
}

/// Size of the dimension that is called `INPUT.AXIS`, if the model fixes it.
pub(super) fn fixed_size(inputs: &[TensorInfo], name: &str) -> Option<u64> {
    let (input, axis) = name.rsplit_once('.')?;
    match dims_of(input_of(inputs, input)?).get(axis.parse::<usize>().ok()?)? {
        Dim::Fixed(size) => Some(*size),
        _ => None,
    }
}
