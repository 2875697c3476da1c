//! From what a graph demands and what is asked for to the unknowns: which dimensions are one.

use std::collections::BTreeMap;

use super::super::names::{self, renamed};
use super::{
    Demand, Dim, Expr, Graph, InputAxis, InputError, InputRequest, Kind, Problem, Relation,
    SizeSource, Unknown, dims_of, fixed_size,
};
use crate::onnx::{OpenDim, ShapeFacts};

impl Problem {
    /// Fails where `request` names a dimension that no input has or the model fixes, or gives two
    /// sizes to one.
    pub fn new(graph: &Graph, request: &InputRequest) -> Result<Problem, InputError> {
        Builder::new(graph, ShapeFacts::of(graph)).problem(request)
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

/// The expression that a dimension's name spells, unless it has none but its place; names within it
/// join the others.
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

    /// The dimensions of that name: as `--dim` calls them, as the file does, or `INPUT.AXIS`. Where
    /// a converter gave one name to dimensions that need not be alike, it stands for those that are
    /// not the first of an input.
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
            Dim::Symbolic(symbol) => Some(symbol.exact()),
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

    /// Whether one of two dimensions is elsewhere a sum of the other and something else, as a
    /// mask's length is that of the new tokens in one branch, and of the past and those in another.
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

/// Whether a relation takes one of two dimensions for a sum that the other is a part of.
fn is_sum_of(relation: &Relation, whole: usize, part: usize) -> bool {
    let (Relation::Equal(a, b) | Relation::Broadcast(a, b)) = relation else {
        return false;
    };
    [(a, b), (b, a)].into_iter().any(|(lone, sum)| {
        *lone == Expr::Dim(whole) && matches!(sum, Expr::Sum(_)) && sum.dims().contains(&part)
    })
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
