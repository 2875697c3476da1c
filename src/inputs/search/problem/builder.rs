//! From what a graph demands and what is asked for to the unknowns: which dimensions are one.

use std::collections::BTreeMap;

use super::super::names::{self, Spelled, rename};
use super::{
    Dim, Expr, Graph, InputAxis, InputError, InputRequest, Kind, Problem, Relation, Result,
    SizeSource, Unknown, alike, dims_of, fixed_size, input_of,
};
use crate::onnx::{OpenDim, ShapeFacts};
use crate::text::Plain;

impl Problem {
    /// Fails where `request` names a dimension that no input has or the model fixes, or gives two
    /// sizes to one.
    pub fn new(graph: &Graph, request: &InputRequest) -> Result<Problem> {
        let mut builder = Builder::new(graph, ShapeFacts::of(graph));
        builder.ask(&request.dims)?;
        builder.unify();
        Ok(builder.problem())
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
    /// Sizes that are asked for, by dimension.
    asked: BTreeMap<usize, u64>,
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
    let Spelled {
        mut expr,
        names: words,
    } = names::expression(&dim.name)?;
    let dims: Vec<usize> = words
        .into_iter()
        .map(|word| index_of(names, word))
        .collect();
    rename(&mut expr, &dims);
    Some(expr)
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
        Builder {
            graph,
            facts,
            same: (0..names.len()).collect(),
            names,
            spelled,
            asked: BTreeMap::new(),
        }
    }

    fn problem(self) -> Problem {
        let heads: Vec<usize> = (0..self.names.len())
            .filter(|&dim| self.same[dim] == dim)
            .collect();
        let unknowns = heads.iter().map(|&head| self.unknown(head)).collect();
        let unknown_of_dim = self.unknown_of_each(&heads);
        let mut problem = Problem {
            unknowns,
            demands: self.facts.demands,
            outputs: self
                .facts
                .outputs
                .into_values()
                .flatten()
                .flatten()
                .collect(),
            has_choice: self.facts.has_choice,
            takes_one_token: false,
        };
        problem.rename(&unknown_of_dim);
        for (dim, expr) in self.spelled.into_iter().enumerate() {
            if let Some(mut expr) = expr {
                rename(&mut expr, &unknown_of_dim);
                problem.derive(unknown_of_dim[dim], expr, self.names[dim].clone());
            }
        }
        problem.follow_demands();
        problem.follow_cache(&self.graph.inputs);
        problem
    }

    /// The unknown that each dimension is one with, by its place among the first ones.
    fn unknown_of_each(&self, heads: &[usize]) -> Vec<usize> {
        let same = self.same.iter();
        same.map(|same| heads.binary_search(same).unwrap_or_default())
            .collect()
    }

    fn ask(&mut self, sizes: &BTreeMap<Plain, u64>) -> Result<()> {
        for (name, &size) in sizes {
            let found = self.named(name.exact());
            if found.is_empty() {
                return Err(self.not_open(name.exact().to_owned()));
            }
            self.asked.extend(found.into_iter().map(|dim| (dim, size)));
        }
        Ok(())
    }

    fn not_open(&self, name: String) -> InputError {
        match fixed_size(&self.graph.inputs, &name) {
            Some(size) => InputError::FixedDim(name, size),
            None => InputError::UnknownDim {
                name,
                present: self.open_names(),
            },
        }
    }

    fn open_names(&self) -> Vec<String> {
        self.names[..self.facts.dims.len()].to_vec()
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
        let dims = &self.facts.dims;
        (0..dims.len())
            .filter(|&dim| dims[dim].places.iter().any(&is_such))
            .collect()
    }

    /// The name that the file gives the dimension there.
    fn symbol(&self, place: &InputAxis) -> Option<&str> {
        match dims_of(input_of(&self.graph.inputs, &place.input)?).get(place.axis)? {
            Dim::Symbolic(symbol) => Some(symbol.exact()),
            _ => None,
        }
    }

    /// Makes one what the graph proves, or takes, to be one.
    fn unify(&mut self) {
        let pairs = self
            .facts
            .demands
            .iter()
            .filter_map(|demand| pair(&demand.relation))
            .filter(|&(one, other)| !self.is_part(one, other));
        for (one, other) in pairs.collect::<Vec<_>>() {
            let (one, other) = (self.same[one], self.same[other]);
            if one != other && self.may_be_one(one, other) {
                for head in &mut self.same {
                    if *head == one.max(other) {
                        *head = one.min(other);
                    }
                }
            }
        }
    }

    /// Whether neither the sizes that they are to have nor their roles tell two apart.
    fn may_be_one(&self, one: usize, other: usize) -> bool {
        agree(self.asked_of(one), self.asked_of(other)) && agree(self.role(one), self.role(other))
    }

    fn asked_of(&self, head: usize) -> Option<u64> {
        self.members(head)
            .find_map(|dim| self.asked.get(&dim).copied())
    }

    /// The dimensions that are one with the first of their kind.
    fn members(&self, head: usize) -> impl Iterator<Item = usize> {
        (0..self.names.len()).filter(move |&dim| self.same[dim] == head)
    }

    /// Whether one of two dimensions is elsewhere a sum of the other and something else, as a
    /// mask's length is that of the new tokens in one branch, and of the past and those in another.
    fn is_part(&self, one: usize, other: usize) -> bool {
        self.facts.demands.iter().any(|demand| {
            is_sum_of(&demand.relation, one, other) || is_sum_of(&demand.relation, other, one)
        })
    }

    fn role(&self, head: usize) -> Option<Kind> {
        self.members(head)
            .filter_map(|dim| self.facts.dims.get(dim)?.role)
            .map(Kind::of_role)
            .min()
    }

    fn unknown(&self, head: usize) -> Unknown {
        let members: Vec<usize> = self.members(head).collect();
        let places: Vec<InputAxis> = members
            .iter()
            .filter_map(|&dim| self.facts.dims.get(dim))
            .flat_map(|dim| dim.places.clone())
            .collect();
        let role = self.role(head);
        Unknown {
            name: self
                .plain_names(&members)
                .next()
                .unwrap_or(&self.names[head])
                .clone(),
            names: members.iter().map(|&dim| self.names[dim].clone()).collect(),
            kind: self.kind(&members, &places, role),
            places,
            is_shown: role.is_some(),
            asked: self.asked_of(head),
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

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

/// Whether a relation takes one of two dimensions for a sum that the other is a part of.
fn is_sum_of(relation: &Relation, whole: usize, part: usize) -> bool {
    alike(relation)
        .into_iter()
        .flat_map(|[one, other]| [(one, other), (other, one)])
        .any(|(lone, sum)| {
            *lone == Expr::Dim(whole) && matches!(sum, Expr::Sum(_)) && sum.dims().contains(&part)
        })
}

fn index_of(names: &mut Vec<String>, word: String) -> usize {
    names
        .iter()
        .position(|name| *name == word)
        .unwrap_or_else(|| {
            names.push(word);
            names.len() - 1
        })
}

/// The two dimensions that a relation takes for one.
fn pair(relation: &Relation) -> Option<(usize, usize)> {
    match alike(relation)? {
        [Expr::Dim(one), Expr::Dim(other)] => Some((*one, *other)),
        _ => None,
    }
}

impl Problem {
    fn rename(&mut self, to: &[usize]) {
        self.outputs.iter_mut().for_each(|expr| rename(expr, to));
        for demand in &mut self.demands {
            match &mut demand.relation {
                Relation::Equal(one, other) | Relation::Broadcast(one, other) => {
                    rename(one, to);
                    rename(other, to);
                }
                Relation::AtMost(expr, _)
                | Relation::AtLeast(expr, _)
                | Relation::MultipleOf(expr, _) => rename(expr, to),
            }
        }
    }
}
