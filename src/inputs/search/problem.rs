//! The open dimensions of a model as unknowns: which are one, which follow from others, and what is asked of them.

use std::collections::BTreeMap;

use super::names::{self, is_known, renamed, words};
use super::{
    Demand, Expr, Graph, InputAxis, InputError, InputRequest, Kind, Relation, SizeSource,
    TensorInfo, dims_of,
};
use crate::onnx::{OpenDim, ShapeFacts};
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
    /// The size that it is to have: the user's, or that of a shape that models of its kind are asked about.
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
    /// Whether a name says that one token follows what was kept, in a model that cannot be asked otherwise.
    pub takes_one_token: bool,
}

impl Problem {
    /// Fails where `request` names a dimension that no input has or the model fixes, or gives two sizes to one.
    pub fn new(graph: &Graph, request: &InputRequest) -> Result<Problem, InputError> {
        Builder::new(graph, ShapeFacts::of(graph)).problem(request)
    }

    pub fn at(&self, input: &str, axis: usize) -> Option<usize> {
        self.unknowns
            .iter()
            .position(|unknown| unknown.stands_at(input, axis))
    }

    /// The unknown that `--dim` or the file calls so, or that stands at `INPUT.AXIS`.
    pub fn named(&self, name: &str) -> Option<usize> {
        let called = self
            .unknowns
            .iter()
            .position(|unknown| unknown.is_called(name));
        called.or_else(|| {
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

struct Builder<'g> {
    graph: &'g Graph,
    facts: ShapeFacts,
    /// Names of all dimensions: those of the facts, then factors.
    names: Vec<String>,
    /// The expression that each name spells, if it does.
    spelled: Vec<Option<Expr>>,
    /// The dimension that each is one with, itself for the first of its kind.
    same: Vec<usize>,
}

/// The expression that a dimension's name spells, unless it has none but its place; names within it join the others.
fn spelled(dim: &OpenDim, names: &mut Vec<String>) -> Option<Expr> {
    let is_place = dim
        .places
        .iter()
        .any(|place| dim.name == format!("{}.{}", place.input, place.axis));
    if is_place {
        return None;
    }
    names::expression(&dim.name, &mut |word| Expr::Dim(index_of(names, word)))
}

impl<'g> Builder<'g> {
    fn new(graph: &'g Graph, facts: ShapeFacts) -> Builder<'g> {
        let mut names: Vec<String> = facts.dims.iter().map(|dim| dim.name.clone()).collect();
        let mut spelled: Vec<Option<Expr>> = facts
            .dims
            .iter()
            .map(|dim| spelled(dim, &mut names))
            .collect();
        spelled.resize(names.len(), None);
        let same = (0..names.len()).collect();
        Builder {
            graph,
            facts,
            names,
            spelled,
            same,
        }
    }

    fn problem(mut self, request: &InputRequest) -> Result<Problem, InputError> {
        let asked = self.asked(&request.dims)?;
        self.unify(&asked);
        let heads: Vec<usize> = (0..self.names.len())
            .filter(|&dim| self.same[dim] == dim)
            .collect();
        let index_of_dim = self.unknown_of_each(&heads);
        let mut problem = Problem {
            unknowns: heads
                .iter()
                .map(|&head| self.unknown(head, &asked))
                .collect(),
            demands: self.demands(&index_of_dim),
            outputs: self.outputs(&index_of_dim),
            has_choice: self.facts.has_choice,
            takes_one_token: false,
        };
        for (dim, expr) in self.spelled.iter().enumerate() {
            if let Some(expr) = expr {
                let expr = renamed(expr, &|part| index_of_dim[part]);
                problem.derive(index_of_dim[dim], expr, self.names[dim].clone());
            }
        }
        problem.follow_demands();
        problem.follow_cache(&self.graph.inputs);
        Ok(problem)
    }

    /// The unknown that each dimension is one with, by its place among the first ones.
    fn unknown_of_each(&self, heads: &[usize]) -> Vec<usize> {
        self.same
            .iter()
            .map(|same| {
                heads
                    .iter()
                    .position(|head| head == same)
                    .unwrap_or_default()
            })
            .collect()
    }

    fn demands(&self, index_of_dim: &[usize]) -> Vec<Demand> {
        let demands = self.facts.demands.iter().map(|demand| Demand {
            relation: each(&demand.relation, &|expr| {
                renamed(expr, &|dim| index_of_dim[dim])
            }),
            reason: demand.reason.clone(),
        });
        demands.collect()
    }

    fn outputs(&self, index_of_dim: &[usize]) -> Vec<Expr> {
        let sizes = self.facts.outputs.values().flatten().flatten();
        sizes
            .map(|expr| renamed(expr, &|dim| index_of_dim[dim]))
            .collect()
    }

    fn asked(&self, sizes: &BTreeMap<String, u64>) -> Result<BTreeMap<usize, u64>, InputError> {
        let mut asked = BTreeMap::new();
        for (name, &size) in sizes {
            let found = self.named(name);
            if found.is_empty() {
                return Err(self.not_open(name.clone()));
            }
            asked.extend(found.into_iter().map(|dim| (dim, size)));
        }
        Ok(asked)
    }

    fn not_open(&self, name: String) -> InputError {
        match fixed_size(&self.graph.inputs, &name) {
            Some(size) => InputError::FixedDim { name, size },
            None => InputError::UnknownDim {
                name,
                present: self.facts.dims.iter().map(|dim| dim.name.clone()).collect(),
            },
        }
    }

    /// The dimensions of that name: as `--dim` calls them, as the file does, or `INPUT.AXIS`. Where a converter gave one
    /// name to dimensions that need not be alike, it stands for those that are not the first of an input.
    fn named(&self, name: &str) -> Vec<usize> {
        if let Some(dim) = self.names.iter().position(|known| known == name) {
            return vec![dim];
        }
        let by_place = self.standing(|place| format!("{}.{}", place.input, place.axis) == name);
        if !by_place.is_empty() {
            return by_place;
        }
        let mut by_symbol = self.standing(|place| self.symbol(place) == Some(name));
        if by_symbol.len() != 1 {
            let later = self.standing(|place| place.axis > 0);
            by_symbol.retain(|dim| later.contains(dim));
        }
        by_symbol
    }

    /// The dimensions that have such a place.
    fn standing(&self, is_such: impl Fn(&InputAxis) -> bool) -> Vec<usize> {
        let dims = self.facts.dims.iter().enumerate();
        dims.filter(|(_, dim)| dim.places.iter().any(&is_such))
            .map(|(index, _)| index)
            .collect()
    }

    /// The name that the file gives the dimension there.
    fn symbol(&self, place: &InputAxis) -> Option<&str> {
        let mut inputs = self.graph.inputs.iter();
        let info = inputs.find(|info| info.name == place.input)?;
        match dims_of(info).get(place.axis)? {
            Dim::Symbolic(symbol) => Some(symbol),
            _ => None,
        }
    }

    /// Makes one what the graph proves, or takes, to be one.
    fn unify(&mut self, asked: &BTreeMap<usize, u64>) {
        let demands = self.facts.demands.iter();
        let pairs = demands
            .filter_map(|demand| pair(&demand.relation))
            .filter(|&(one, other)| !self.is_part(one, other));
        for (one, other) in pairs.collect::<Vec<_>>() {
            let (one, other) = (self.same[one], self.same[other]);
            if one != other && self.may_be_one(one, other, asked) {
                let (first, second) = (one.min(other), one.max(other));
                self.same
                    .iter_mut()
                    .filter(|head| **head == second)
                    .for_each(|head| *head = first);
            }
        }
    }

    /// Whether neither the sizes that they are to have nor their roles tell two apart.
    fn may_be_one(&self, one: usize, other: usize, asked: &BTreeMap<usize, u64>) -> bool {
        let sizes = (self.asked_of(one, asked), self.asked_of(other, asked));
        let roles = (self.role(one), self.role(other));
        !matches!(sizes, (Some(a), Some(b)) if a != b)
            && !matches!(roles, (Some(a), Some(b)) if a != b)
    }

    fn asked_of(&self, head: usize, asked: &BTreeMap<usize, u64>) -> Option<u64> {
        self.members(head).find_map(|dim| asked.get(&dim).copied())
    }

    /// The dimensions that are one with the first of their kind.
    fn members(&self, head: usize) -> impl Iterator<Item = usize> {
        (0..self.names.len()).filter(move |&dim| self.same[dim] == head)
    }

    /// Whether one of two dimensions is elsewhere a sum of the other and something else, as a mask's length is that of the
    /// new tokens in one branch, and of the past and those in another.
    fn is_part(&self, one: usize, other: usize) -> bool {
        let mut demands = self.facts.demands.iter();
        demands.any(|demand| {
            is_sum_of(&demand.relation, one, other) || is_sum_of(&demand.relation, other, one)
        })
    }

    fn role(&self, head: usize) -> Option<Kind> {
        self.members(head)
            .filter_map(|dim| self.facts.dims.get(dim)?.role)
            .map(Kind::of_role)
            .min()
    }

    fn unknown(&self, head: usize, asked: &BTreeMap<usize, u64>) -> Unknown {
        let members: Vec<usize> = self.members(head).collect();
        let places: Vec<InputAxis> = members
            .iter()
            .filter_map(|&dim| self.facts.dims.get(dim))
            .flat_map(|dim| dim.places.clone())
            .collect();
        let role = self.role(head);
        let name = self.plain_names(&members).next();
        Unknown {
            name: name.unwrap_or(&self.names[head]).clone(),
            names: members.iter().map(|&dim| self.names[dim].clone()).collect(),
            kind: self.kind(&members, &places, role),
            places,
            is_shown: role.is_some(),
            asked: self.asked_of(head, asked),
            asked_by: SizeSource::Asked,
            fixed: None,
            derived: Vec::new(),
        }
    }

    /// Names of dimensions that spell no expression.
    fn plain_names(&self, members: &[usize]) -> impl Iterator<Item = &String> {
        members
            .iter()
            .filter(|&&dim| self.spelled[dim].is_none())
            .map(|&dim| &self.names[dim])
    }

    fn kind(&self, members: &[usize], places: &[InputAxis], role: Option<Kind>) -> Kind {
        let by_name = self
            .plain_names(members)
            .find_map(|name| Kind::of_name(name));
        let inputs = &self.graph.inputs;
        let kind = match role {
            _ if places.is_empty() => by_name
                .filter(|kind| matches!(kind, Kind::Past | Kind::Tokens))
                .unwrap_or(Kind::Factor),
            Some(role) => role,
            None => places
                .iter()
                .find_map(|place| Kind::of_place(place, inputs))
                .or(by_name)
                .unwrap_or(Kind::Other),
        };
        kind.at(places, inputs)
    }
}

impl Problem {
    /// Takes what demands fix, and what they make of one unknown alone.
    fn follow_demands(&mut self) {
        for Demand { relation, reason } in self.demands.clone() {
            let (Relation::Equal(one, other) | Relation::Broadcast(one, other)) = relation else {
                continue;
            };
            for (lone, expr) in [(&one, &other), (&other, &one)] {
                self.follow_rows(lone, expr);
                match (lone, expr) {
                    (Expr::Dim(index), &Expr::Number(size)) if size > 1 => {
                        let size = size.unsigned_abs();
                        self.unknowns[*index]
                            .fixed
                            .get_or_insert((size, reason.clone()));
                    }
                    (Expr::Dim(_), Expr::Dim(_)) => {}
                    (Expr::Dim(index), expr) => self.derive(*index, expr.clone(), self.words(expr)),
                    _ => {}
                }
            }
        }
    }

    /// Where rows that an input begins with are parted into samples, so many to each, they follow the samples that another
    /// input begins with: `rows / 3` there is one of those.
    fn follow_rows(&mut self, lone: &Expr, expr: &Expr) {
        let (Expr::Dim(samples), Some((rows, each))) = (lone, parted(expr)) else {
            return;
        };
        if self.unknowns[*samples].is_first() && self.unknowns[rows].is_first() {
            let product = Expr::Product(vec![Expr::Number(each), Expr::Dim(*samples)]);
            self.derive(rows, product.clone(), self.words(&product));
        }
    }

    /// Adds an expression that an unknown follows, unless it goes in a circle or the unknown is one that others follow.
    pub fn derive(&mut self, index: usize, expr: Expr, from: String) {
        let unknown = &self.unknowns[index];
        let leads = match unknown.kind {
            Kind::Past | Kind::Height | Kind::Width => true,
            Kind::Tokens => unknown.is_shown,
            _ => false,
        };
        let is_new = unknown
            .derived
            .iter()
            .all(|derivation| derivation.expr != expr);
        let says_something = !expr.dims().is_empty() && is_known(&expr) && is_new;
        let in_circle = self.reaches(&expr, index, self.unknowns.len());
        if says_something && !in_circle && (unknown.name == from || !leads) {
            self.unknowns[index].derived.push(Derivation { expr, from });
        }
    }

    fn reaches(&self, expr: &Expr, index: usize, limit: usize) -> bool {
        limit > 0
            && expr.dims().iter().any(|&dim| {
                let derived = &self.unknowns[dim].derived;
                dim == index
                    || derived
                        .iter()
                        .any(|derivation| self.reaches(&derivation.expr, index, limit - 1))
            })
    }
}

/// Whether a relation takes one of two dimensions for a sum that the other is a part of.
fn is_sum_of(relation: &Relation, whole: usize, part: usize) -> bool {
    let (Relation::Equal(a, b) | Relation::Broadcast(a, b)) = relation else {
        return false;
    };
    [(a, b), (b, a)].into_iter().any(|(lone, sum)| {
        *lone == Expr::Dim(whole) && matches!(sum, Expr::Sum(_)) && sum.dims().contains(&part)
    })
}

/// The dimension that an expression is the so manieth part of, as in `2 x rows / 6`; `None` of any other.
fn parted(expr: &Expr) -> Option<(usize, i64)> {
    let Expr::Quotient(whole, part) = expr else {
        return None;
    };
    let part = part.number().filter(|&part| part > 1)?;
    let (times, rows) = match whole.as_ref() {
        Expr::Dim(rows) => (1, *rows),
        Expr::Product(factors) => match factors[..] {
            [Expr::Number(times), Expr::Dim(rows)] => (times, rows),
            _ => return None,
        },
        _ => return None,
    };
    (times > 0 && part % times == 0 && part > times).then(|| (rows, part / times))
}

fn index_of(names: &mut Vec<String>, word: &str) -> usize {
    names
        .iter()
        .position(|name| name == word)
        .unwrap_or_else(|| {
            names.push(word.to_owned());
            names.len() - 1
        })
}

/// The two dimensions that a relation takes for one.
fn pair(relation: &Relation) -> Option<(usize, usize)> {
    let (Relation::Equal(one, other) | Relation::Broadcast(one, other)) = relation else {
        return None;
    };
    let (Expr::Dim(one), Expr::Dim(other)) = (one, other) else {
        return None;
    };
    Some((*one, *other))
}

fn each(relation: &Relation, change: &impl Fn(&Expr) -> Expr) -> Relation {
    match relation {
        Relation::Equal(one, other) => Relation::Equal(change(one), change(other)),
        Relation::Broadcast(one, other) => Relation::Broadcast(change(one), change(other)),
        Relation::AtMost(expr, size) => Relation::AtMost(change(expr), *size),
        Relation::AtLeast(expr, size) => Relation::AtLeast(change(expr), *size),
        Relation::MultipleOf(expr, size) => Relation::MultipleOf(change(expr), *size),
    }
}

/// Size of the dimension that is called `INPUT.AXIS`, if the model fixes it.
pub(super) fn fixed_size(inputs: &[TensorInfo], name: &str) -> Option<u64> {
    let (input, axis) = name.rsplit_once('.')?;
    let info = inputs.iter().find(|info| info.name == input)?;
    match dims_of(info).get(axis.parse::<usize>().ok()?)? {
        Dim::Fixed(size) => Some(*size),
        _ => None,
    }
}
