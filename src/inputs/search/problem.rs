//! The open dimensions of a model as unknowns: which are one, which follow from others, and what is asked of them.

use std::collections::BTreeMap;

use super::names::{self, is_known, renamed, words};
use super::{
    Demand, Expr, Graph, InputAxis, InputError, InputRequest, Kind, Relation, SizeSource,
    TensorInfo, dims_of,
};
use crate::onnx::ShapeFacts;
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
        let stands = |place: &InputAxis| place.input == input && place.axis == axis;
        self.unknowns
            .iter()
            .position(|unknown| unknown.places.iter().any(stands))
    }

    /// The unknown that `--dim` or the file calls so, or that stands at `INPUT.AXIS`.
    pub fn named(&self, name: &str) -> Option<usize> {
        let has_name = |unknown: &Unknown| {
            unknown.names.iter().any(|known| known == name) && !unknown.places.is_empty()
        };
        self.unknowns.iter().position(has_name).or_else(|| {
            let (input, axis) = name.rsplit_once('.')?;
            self.at(input, axis.parse().ok()?)
        })
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

impl<'g> Builder<'g> {
    fn new(graph: &'g Graph, facts: ShapeFacts) -> Builder<'g> {
        let mut names: Vec<String> = facts.dims.iter().map(|dim| dim.name.clone()).collect();
        let mut spelled = Vec::new();
        for dim in &facts.dims {
            let is_place = dim
                .places
                .iter()
                .any(|place| dim.name == format!("{}.{}", place.input, place.axis));
            let mut index = |word: &str| Expr::Dim(index_of(&mut names, word));
            spelled.push(if is_place {
                None
            } else {
                names::expression(&dim.name, &mut index)
            });
        }
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
        let unknown_of = |dim: usize| {
            heads
                .iter()
                .position(|&head| head == self.same[dim])
                .unwrap_or_default()
        };
        let unknowns = heads
            .iter()
            .map(|&head| self.unknown(head, &asked))
            .collect::<Result<Vec<_>, _>>()?;
        let demands = self.facts.demands.iter().map(|demand| Demand {
            relation: each(&demand.relation, &|expr| renamed(expr, &unknown_of)),
            reason: demand.reason.clone(),
        });
        let outputs = self
            .facts
            .outputs
            .values()
            .flatten()
            .flatten()
            .map(|expr| renamed(expr, &unknown_of));
        let (demands, outputs) = (demands.collect(), outputs.collect());
        let has_choice = self.facts.has_choice;
        let mut problem = Problem {
            unknowns,
            demands,
            outputs,
            has_choice,
            takes_one_token: false,
        };
        for dim in 0..self.names.len() {
            if let Some(expr) = &self.spelled[dim] {
                problem.derive(
                    unknown_of(dim),
                    renamed(expr, &unknown_of),
                    self.names[dim].clone(),
                );
            }
        }
        problem.follow_demands();
        problem.follow_cache(&self.graph.inputs);
        Ok(problem)
    }

    fn asked(&self, sizes: &BTreeMap<String, u64>) -> Result<BTreeMap<usize, u64>, InputError> {
        let mut asked = BTreeMap::new();
        for (name, &size) in sizes {
            let found = self.named(name);
            if found.is_empty() {
                let present = || self.facts.dims.iter().map(|dim| dim.name.clone()).collect();
                return Err(match fixed_size(&self.graph.inputs, name) {
                    Some(size) => InputError::FixedDim {
                        name: name.clone(),
                        size,
                    },
                    None => InputError::UnknownDim {
                        name: name.clone(),
                        present: present(),
                    },
                });
            }
            asked.extend(found.into_iter().map(|dim| (dim, size)));
        }
        Ok(asked)
    }

    /// The dimensions of that name: as `--dim` calls them, as the file does, or `INPUT.AXIS`. Where a converter gave one
    /// name to dimensions that need not be alike, it stands for those that are not the first of an input.
    fn named(&self, name: &str) -> Vec<usize> {
        if let Some(dim) = self.names.iter().position(|known| known == name) {
            return vec![dim];
        }
        let symbol = |place: &InputAxis| {
            let info = self
                .graph
                .inputs
                .iter()
                .find(|info| info.name == place.input)?;
            match dims_of(info).get(place.axis)? {
                Dim::Symbolic(symbol) => Some(symbol.as_str()),
                _ => None,
            }
        };
        let has = |dim: &usize, wanted: &dyn Fn(&InputAxis) -> bool| {
            self.facts.dims[*dim].places.iter().any(wanted)
        };
        let indices = || 0..self.facts.dims.len();
        let by_place: Vec<usize> = indices()
            .filter(|dim| {
                has(dim, &|place| {
                    format!("{}.{}", place.input, place.axis) == name
                })
            })
            .collect();
        if !by_place.is_empty() {
            return by_place;
        }
        let by_symbol: Vec<usize> = indices()
            .filter(|dim| has(dim, &|place| symbol(place) == Some(name)))
            .collect();
        let later = |dim: &&usize| has(dim, &|place| place.axis > 0);
        match by_symbol.as_slice() {
            [_] => by_symbol,
            several => several.iter().filter(later).copied().collect(),
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
            let sizes = |head: usize| {
                (0..self.names.len())
                    .find_map(|dim| asked.get(&dim).filter(|_| self.same[dim] == head))
            };
            let clash = matches!((sizes(one), sizes(other)), (Some(a), Some(b)) if a != b);
            let unlike = matches!((self.role(one), self.role(other)), (Some(a), Some(b)) if a != b);
            if one != other && !clash && !unlike {
                let (first, second) = (one.min(other), one.max(other));
                self.same
                    .iter_mut()
                    .filter(|head| **head == second)
                    .for_each(|head| *head = first);
            }
        }
    }

    /// Whether one of two dimensions is elsewhere a sum of the other and something else, as a mask's length is that of the
    /// new tokens in one branch, and of the past and those in another.
    fn is_part(&self, one: usize, other: usize) -> bool {
        let sums = |whole: usize, part: usize, relation: &Relation| {
            let (Relation::Equal(a, b) | Relation::Broadcast(a, b)) = relation else {
                return false;
            };
            let is_sum = |lone: &Expr, sum: &Expr| {
                *lone == Expr::Dim(whole)
                    && matches!(sum, Expr::Sum(_))
                    && sum.dims().contains(&part)
            };
            is_sum(a, b) || is_sum(b, a)
        };
        self.facts
            .demands
            .iter()
            .any(|demand| sums(one, other, &demand.relation) || sums(other, one, &demand.relation))
    }

    fn role(&self, head: usize) -> Option<Kind> {
        let roles = self
            .facts
            .dims
            .iter()
            .enumerate()
            .filter(|&(dim, _)| self.same[dim] == head);
        roles
            .filter_map(|(_, dim)| dim.role)
            .map(Kind::of_role)
            .min()
    }

    fn unknown(&self, head: usize, asked: &BTreeMap<usize, u64>) -> Result<Unknown, InputError> {
        let members: Vec<usize> = (0..self.names.len())
            .filter(|&dim| self.same[dim] == head)
            .collect();
        let places: Vec<InputAxis> = members
            .iter()
            .filter_map(|&dim| self.facts.dims.get(dim))
            .flat_map(|dim| dim.places.clone())
            .collect();
        let by_place = || {
            places
                .iter()
                .find_map(|place| Kind::of_place(place, &self.graph.inputs))
        };
        let plain = |&&dim: &&usize| self.spelled[dim].is_none();
        let by_name = || {
            members
                .iter()
                .filter(plain)
                .find_map(|&dim| Kind::of_name(&self.names[dim]))
        };
        let role = self.role(head);
        let kind = match role {
            _ if places.is_empty() => by_name()
                .filter(|kind| matches!(kind, Kind::Past | Kind::Tokens))
                .unwrap_or(Kind::Factor),
            Some(role) => role,
            None => by_place().or_else(by_name).unwrap_or(Kind::Other),
        }
        .at(&places, &self.graph.inputs);
        let name = members.iter().find(plain).unwrap_or(&head);
        Ok(Unknown {
            name: self.names[*name].clone(),
            names: members.iter().map(|&dim| self.names[dim].clone()).collect(),
            places,
            kind,
            is_shown: role.is_some(),
            asked: members.iter().find_map(|dim| asked.get(dim)).copied(),
            asked_by: SizeSource::Asked,
            fixed: None,
            derived: Vec::new(),
        })
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
        let leads = |index: usize| {
            self.unknowns[index]
                .places
                .iter()
                .all(|place| place.axis == 0)
        };
        if leads(*samples) && leads(rows) {
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
