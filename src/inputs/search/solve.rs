//! Sizes for all unknowns at once: what is given, what follows from it, and guesses that break no demand.

mod bounds;

use std::collections::BTreeMap;

use super::problem::Derivation;
use super::{Demand, Expr, InputError, Kind, Problem, Relation, SizeSource, Unknown};

/// Largest size that is looked for where no usual one meets the demands.
const SCAN_LIMIT: u64 = 2048;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sized {
    pub size: u64,
    pub source: SizeSource,
}

/// Sizes of the unknowns, by index.
pub(super) type Sizes = Vec<Option<Sized>>;

/// Sizes and fills beside those that the user asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice {
    /// Unknowns along which samples lie: their size is 1 here.
    pub batch: Vec<usize>,
    pub sizes: BTreeMap<usize, Sized>,
    /// Which way to fill an input is tried, by the input's place; the first where it is absent.
    pub fills: BTreeMap<usize, usize>,
}

/// A size that is tried for an unknown, and for the one that goes with it.
#[derive(Clone, Copy)]
struct Trial {
    index: usize,
    pair: Option<usize>,
    size: u64,
}

/// How badly demands are broken: those that fail, then those that hold only because a size is 1.
type Broken = (usize, usize);

pub(super) struct Solver<'p> {
    problem: &'p Problem,
    told: &'p BTreeMap<usize, Vec<Sized>>,
    sizes: Sizes,
    /// Demands that each unknown has a part in, through what follows from it.
    concerned: Vec<Vec<usize>>,
}

/// Fails where sizes that the user gave contradict each other; `told` are candidates that files tell of.
pub(super) fn solve(
    problem: &Problem,
    choice: &Choice,
    told: &BTreeMap<usize, Vec<Sized>>,
) -> Result<Sizes, InputError> {
    let mut solver = Solver {
        problem,
        told,
        sizes: vec![None; problem.unknowns.len()],
        concerned: concerned(problem),
    };
    solver.set_given(choice);
    solver.follow();
    solver.follow_back();
    solver.check_asked()?;
    for index in guessed_in_order(problem) {
        if solver.sizes[index].is_none() {
            solver.guess(index);
            solver.follow();
        }
    }
    Ok(solver.sizes)
}

/// All unknowns, those that tell most of the others first: a past before the tokens, those before masks, factors before
/// products.
fn guessed_in_order(problem: &Problem) -> Vec<usize> {
    let mut order: Vec<usize> = (0..problem.unknowns.len()).collect();
    order.sort_by_key(|&index| {
        let unknown = &problem.unknowns[index];
        (!unknown.derived.is_empty(), unknown.kind)
    });
    order
}

/// Number of samples that each unknown grows by with the batch: its size for two samples beside that for one.
pub(super) fn rows(problem: &Problem, choice: &Choice, sizes: &Sizes) -> Vec<Option<u64>> {
    let one = grown(problem, choice, sizes, 1);
    let two = grown(problem, choice, sizes, 2);
    one.into_iter()
        .zip(two)
        .map(|(one, two)| one.filter(|&one| is_doubled(one, two)))
        .collect()
}

fn is_doubled(one: u64, two: Option<u64>) -> bool {
    one > 0 && two.is_some() && two == one.checked_mul(2)
}

/// Sizes of the unknowns where so many samples lie along the batch.
fn grown(problem: &Problem, choice: &Choice, sizes: &Sizes, samples: u64) -> Vec<Option<u64>> {
    let mut grown: Vec<Option<u64>> = sizes
        .iter()
        .map(|sized| sized.as_ref().map(|sized| sized.size))
        .collect();
    choice
        .batch
        .iter()
        .for_each(|&index| grown[index] = Some(samples));
    for _ in 0..problem.unknowns.len() {
        for (index, unknown) in problem.unknowns.iter().enumerate() {
            if may_grow(unknown, sizes[index].as_ref()) && !choice.batch.contains(&index) {
                grown[index] = computed(&unknown.derived, &grown);
            }
        }
    }
    grown
}

/// Whether the size of an unknown follows those of others, though it be asked for.
fn may_grow(unknown: &Unknown, sized: Option<&Sized>) -> bool {
    let source = sized.map(|sized| &sized.source);
    let follows = matches!(source, Some(SizeSource::Derived { .. })) || unknown.asked.is_some();
    follows && !unknown.derived.is_empty()
}

fn computed(derived: &[Derivation], sizes: &[Option<u64>]) -> Option<u64> {
    derived
        .iter()
        .filter_map(|one| one.expr.evaluate(&|dim| sizes[dim]))
        .find_map(|value| u64::try_from(value).ok())
}

fn concerned(problem: &Problem) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); problem.unknowns.len()];
    for (at, demand) in problem.demands.iter().enumerate() {
        for index in behind(problem, &demand.relation) {
            parts[index].push(at);
        }
    }
    parts
}

/// The unknowns of a relation and those that they follow, each once.
fn behind(problem: &Problem, relation: &Relation) -> Vec<usize> {
    let mut found: Vec<usize> = operands(relation)
        .into_iter()
        .flat_map(Expr::dims)
        .collect();
    let mut next = 0;
    while let Some(&index) = found.get(next) {
        next += 1;
        let derived = problem.unknowns[index].derived.iter();
        for dim in derived.flat_map(|derivation| derivation.expr.dims()) {
            if !found.contains(&dim) {
                found.push(dim);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn operands(relation: &Relation) -> Vec<&Expr> {
    match relation {
        Relation::Equal(one, other) | Relation::Broadcast(one, other) => vec![one, other],
        Relation::AtMost(expr, _) | Relation::AtLeast(expr, _) | Relation::MultipleOf(expr, _) => {
            vec![expr]
        }
    }
}

fn broken(relation: &Relation, size: &impl Fn(usize) -> Option<u64>) -> Broken {
    let values: Option<Vec<i64>> = operands(relation)
        .into_iter()
        .map(|expr| expr.evaluate(size))
        .collect();
    let Some(values) = values else { return (0, 0) };
    let fails = match relation {
        Relation::Broadcast(..) if values[0] != values[1] && values.contains(&1) => return (0, 1),
        Relation::Equal(..) | Relation::Broadcast(..) => values[0] != values[1],
        Relation::AtMost(_, most) => values[0] > signed(*most),
        Relation::AtLeast(_, least) => values[0] < signed(*least),
        Relation::MultipleOf(_, part) => values[0].rem_euclid(signed((*part).max(1))) != 0,
    };
    (usize::from(fails), 0)
}

fn signed(bound: u64) -> i64 {
    i64::try_from(bound).unwrap_or(i64::MAX)
}

fn made_up(&size: &u64) -> Sized {
    Sized {
        size,
        source: SizeSource::MadeUp,
    }
}

/// The only size that an operator takes.
fn only_size(unknown: &Unknown) -> Option<Sized> {
    let (size, reason) = unknown.fixed.clone()?;
    Some(Sized {
        size,
        source: SizeSource::Demand { reason },
    })
}

impl Solver<'_> {
    fn size(&self, index: usize) -> Option<u64> {
        self.sizes[index].as_ref().map(|sized| sized.size)
    }

    fn unknown(&self, index: usize) -> &Unknown {
        &self.problem.unknowns[index]
    }

    fn set_given(&mut self, choice: &Choice) {
        for index in 0..self.sizes.len() {
            self.sizes[index] = self.given(index, choice);
        }
    }

    fn given(&self, index: usize, choice: &Choice) -> Option<Sized> {
        let unknown = self.unknown(index);
        match unknown.asked {
            Some(size) => Some(Sized {
                size,
                source: unknown.asked_by.clone(),
            }),
            None if choice.batch.contains(&index) => Some(Sized {
                size: 1,
                source: SizeSource::Batch,
            }),
            None => choice
                .sizes
                .get(&index)
                .cloned()
                .or_else(|| only_size(unknown)),
        }
    }

    fn follow(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for index in 0..self.sizes.len() {
                if self.sizes[index].is_none() {
                    self.sizes[index] = self.derived(index);
                    changed |= self.sizes[index].is_some();
                }
            }
        }
    }

    fn derived(&self, index: usize) -> Option<Sized> {
        self.unknown(index).derived.iter().find_map(|derivation| {
            let size = u64::try_from(derivation.expr.evaluate(&|dim| self.size(dim))?).ok()?;
            Some(Sized {
                size,
                source: SizeSource::Derived {
                    from: derivation.from.clone(),
                },
            })
        })
    }

    /// Finds the one part that is not known of a size that was asked for, and the factor that a name alone speaks of where
    /// the size follows from something else.
    fn follow_back(&mut self) {
        for index in 0..self.sizes.len() {
            let unknown = self.unknown(index).clone();
            let Some(asked) = unknown.asked.or(self.size(index)) else {
                continue;
            };
            for derivation in &unknown.derived {
                let Some(open) = self.only_open(&derivation.expr) else {
                    continue;
                };
                if unknown.asked.is_none() && self.unknown(open).has_places() {
                    continue;
                }
                if let Some(size) = self.part(&derivation.expr, open, asked) {
                    let source = SizeSource::Derived {
                        from: format!("{} = {asked}", unknown.name),
                    };
                    self.sizes[open] = Some(Sized { size, source });
                    self.follow();
                }
            }
        }
    }

    fn only_open(&self, expr: &Expr) -> Option<usize> {
        let mut open: Vec<usize> = expr.dims();
        open.retain(|&dim| self.sizes[dim].is_none());
        open.sort_unstable();
        open.dedup();
        match open.as_slice() {
            &[open] => Some(open),
            _ => None,
        }
    }

    /// The size of the open part of an expression with which that comes to a size asked for.
    fn part(&self, expr: &Expr, open: usize, asked: u64) -> Option<u64> {
        (0..=asked).take(1 << 20).find(|&size| {
            let value = expr.evaluate(&|dim| match dim {
                _ if dim == open => Some(size),
                _ => self.size(dim),
            });
            value.is_some_and(|value| u64::try_from(value) == Ok(asked))
        })
    }

    fn check_asked(&self) -> Result<(), InputError> {
        let mut unknowns = self.problem.unknowns.iter();
        match unknowns.find_map(|unknown| self.contradiction(unknown)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The error of an unknown that what it follows gives another size than the user does.
    fn contradiction(&self, unknown: &Unknown) -> Option<InputError> {
        let size = unknown.asked?;
        let derivation = unknown.derived.first()?;
        let value = derivation.expr.evaluate(&|dim| self.size(dim))?;
        if u64::try_from(value) == Ok(size) {
            return None;
        }
        let others = derivation.expr.dims();
        Some(InputError::DimsContradict {
            name: unknown.name.clone(),
            size,
            from: derivation.from.clone(),
            value,
            others: others
                .into_iter()
                .filter_map(|dim| self.words(dim))
                .collect(),
        })
    }

    fn words(&self, dim: usize) -> Option<String> {
        Some(format!(
            "`{}` = {}",
            self.unknown(dim).name,
            self.size(dim)?
        ))
    }

    /// Takes the first usual size that breaks least, or one nearby that breaks nothing.
    fn guess(&mut self, index: usize) {
        let Some((broken, usual)) = self.least_broken(index) else {
            return;
        };
        let found = if broken != (0, 0) {
            self.nearby(index, broken, usual.size).unwrap_or(usual)
        } else if matches!(usual.source, SizeSource::MadeUp) {
            Sized {
                source: self.source(index, &usual),
                ..usual
            }
        } else {
            usual
        };
        if let Some(pair) = self.pair(index) {
            self.sizes[pair] = Some(found.clone());
        }
        self.sizes[index] = Some(found);
    }

    /// The first of the usual sizes that break least.
    fn least_broken(&self, index: usize) -> Option<(Broken, Sized)> {
        let mut best: Option<(Broken, Sized)> = None;
        for sized in self.usual(index) {
            let broken = self.broken_with(index, sized.size);
            if best.as_ref().is_none_or(|(least, _)| broken < *least) {
                best = Some((broken, sized));
            }
            if broken == (0, 0) {
                break;
            }
        }
        best
    }

    /// Of all sizes that break less, the one that breaks least and lies next to the usual one.
    fn nearby(&self, index: usize, broken: Broken, usual: u64) -> Option<Sized> {
        let rated = (1..=SCAN_LIMIT).map(|size| (self.broken_with(index, size), size));
        let better = rated.filter(|(other, _)| *other < broken);
        let (_, size) = better.min_by_key(|(other, size)| (*other, size.abs_diff(usual)))?;
        Some(Sized {
            size,
            source: self.demand(index, size),
        })
    }

    /// Sizes that are worth a try: those that files tell first, then what bounds tell and the usual ones.
    fn usual(&self, index: usize) -> Vec<Sized> {
        let told = self.told.get(&index).cloned().unwrap_or_default();
        let kind = self.unknown(index).kind;
        let (usual, others) = kind.usual_sizes().split_at(1);
        let usual = self
            .least(index)
            .into_iter()
            .chain(usual.iter().map(made_up))
            .chain(self.most(index))
            .chain(others.iter().map(made_up));
        let first = self.first(kind).iter().map(made_up);
        first.chain(told).chain(usual).collect()
    }

    /// The length that goes before all others, beside a past or a prompt.
    fn first(&self, kind: Kind) -> &'static [u64] {
        let mut pasts = self.problem.of_kind(Kind::Past);
        match (kind, pasts.find_map(|past| self.size(past))) {
            // After a past comes one token.
            (Kind::Tokens, Some(1..)) => &[1],
            // A prompt has no past.
            (Kind::Past, _) if self.is_prompt() => &[0],
            _ => &[],
        }
    }

    fn is_prompt(&self) -> bool {
        self.problem
            .of_kind(Kind::Tokens)
            .any(|tokens| self.unknown(tokens).asked.is_some_and(|size| size > 1))
    }

    /// The other side of an image whose sides are not given, which is as long.
    fn pair(&self, index: usize) -> Option<usize> {
        if self.unknown(index).kind != Kind::Height {
            return None;
        }
        let input = &self.unknown(index).places.first()?.input;
        self.problem.of_kind(Kind::Width).find(|&pair| {
            self.unknown(pair).stands_in(input)
                && self.sizes[pair].is_none()
                && !self.told.contains_key(&pair)
        })
    }

    fn broken_with(&self, index: usize, size: u64) -> Broken {
        if self.concerned[index].is_empty() {
            return (0, 0);
        }
        let trial = self.trial(index, size);
        self.demands(index)
            .map(|demand| self.broken_by(trial, demand))
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn trial(&self, index: usize, size: u64) -> Trial {
        Trial {
            index,
            pair: self.pair(index),
            size,
        }
    }

    fn broken_by(&self, trial: Trial, demand: &Demand) -> Broken {
        let limit = self.sizes.len();
        broken(&demand.relation, &|dim| self.look(dim, trial, limit))
    }

    /// The size of an unknown while another one, and its pair, have a size that is tried.
    fn look(&self, dim: usize, trial: Trial, limit: usize) -> Option<u64> {
        if dim == trial.index || trial.pair == Some(dim) {
            return Some(trial.size);
        }
        if let Some(known) = self.size(dim) {
            return Some(known);
        }
        let limit = limit.checked_sub(1)?;
        let mut derived = self.unknown(dim).derived.iter();
        let value = derived.find_map(|derivation| {
            derivation
                .expr
                .evaluate(&|part| self.look(part, trial, limit))
        });
        value.and_then(|value| u64::try_from(value).ok())
    }

    fn demands(&self, index: usize) -> impl Iterator<Item = &Demand> {
        self.concerned[index]
            .iter()
            .map(move |&at| &self.problem.demands[at])
    }

    fn meets(&self, index: usize, demand: &Demand, size: u64) -> bool {
        self.broken_by(self.trial(index, size), demand).0 == 0
    }

    /// The demand that a size meets and the usual one does not.
    fn demand(&self, index: usize, size: u64) -> SizeSource {
        let usual = self.usual(index).first().map_or(size, |sized| sized.size);
        let decisive = self
            .demands(index)
            .find(|demand| self.meets(index, demand, size) && !self.meets(index, demand, usual));
        let reason = decisive.map_or_else(
            || "sizes must agree".to_owned(),
            |demand| demand.reason.clone(),
        );
        SizeSource::Demand { reason }
    }

    /// The source of a usual size: a demand, where sizes before it break one.
    fn source(&self, index: usize, found: &Sized) -> SizeSource {
        match self.usual(index).first() {
            Some(first) if first.size != found.size && !self.concerned[index].is_empty() => {
                self.demand(index, found.size)
            }
            _ => SizeSource::MadeUp,
        }
    }
}
