//! Values of a model while one input holds one number everywhere, and the question that this
//! answers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bound::Uses;
use super::flow::Call;
use super::guess::{Evaluated, Guess, Sign, SignKind};
use super::{ElementType, Fill, FillKind, Flow, Graph, Shapes, TensorInfo};

/// How far back a value that does not depend on the input is traced.
const TRACE_LIMIT: usize = 48;
const LIST_LIMIT: usize = 4096;
/// How often each node is evaluated at most: twice for what a loop's body gives back.
const TURNS: usize = 3;

/// An input whose values may decide how much is computed.
pub(super) struct Question<'q> {
    pub info: &'q TensorInfo,
    pub element_type: ElementType,
    pub flow: &'q Flow<'q>,
    pub graph: &'q Graph,
    pub shapes: &'q Shapes,
    pub uses: Uses,
}

/// A value that is everywhere in the input, and the signs that operators would show of it.
pub(super) struct Trial {
    pub value: f64,
    /// The size that it is, in words.
    pub size: Option<String>,
    pub signs: Signs,
}

impl Trial {
    /// The first sign of a kind, and the node that shows it.
    pub fn sign(&self, kind: SignKind) -> Option<(usize, Sign)> {
        let mut signs = self.signs.iter().map(|(&node, &sign)| (node, sign));
        signs.find(|(_, sign)| sign.kind == kind)
    }
}

impl Question<'_> {
    pub fn shape(&self) -> &[Option<u64>] {
        self.shape_of(self.info)
    }

    pub fn shape_of(&self, info: &TensorInfo) -> &[Option<u64>] {
        let shape = self.shapes.get(info.name.exact());
        shape.map(Vec::as_slice).unwrap_or_default()
    }

    /// Numbers of one sample in the input.
    pub fn elements(&self) -> u64 {
        let sizes = self.shape().iter();
        sizes.fold(1, |product, size| product.saturating_mul(size.unwrap_or(1)))
    }

    pub fn others(&self) -> impl Iterator<Item = &TensorInfo> {
        let inputs = self.graph.inputs.iter();
        inputs.filter(|other| other.name != self.info.name)
    }

    pub fn is_number(&self) -> bool {
        self.element_type.is_integer() || self.element_type.is_float()
    }

    /// A fill of one value everywhere that decides how much is computed.
    pub fn constant(&self, value: f64, reason: String) -> Fill {
        Fill::steering(FillKind::Constant(value), reason)
    }

    /// Whether a value lies within the bound of the input, where it has one.
    pub fn allows(&self, value: f64) -> bool {
        let bound = self.uses.bound.as_ref();
        bound.is_none_or(|bound| (bound.low..=bound.high).contains(&value))
    }

    pub fn shown(&self, value: f64) -> String {
        match (self.element_type, value) {
            (ElementType::Bool, 0.0) => "false".to_owned(),
            (ElementType::Bool, _) => "true".to_owned(),
            _ => value.to_string(),
        }
    }
}

/// Knowledge of values that do not depend on an input, found when it is asked for.
pub(super) struct Known<'f> {
    flow: &'f Flow<'f>,
    found: RefCell<HashMap<String, Guess>>,
}

/// Signs by the index of the node that shows them.
pub(super) type Signs = BTreeMap<usize, Sign>;

impl<'f> Known<'f> {
    pub fn new(flow: &'f Flow<'f>) -> Known<'f> {
        Known {
            flow,
            found: RefCell::default(),
        }
    }

    fn guess(&self, value: &str, limit: usize) -> Guess {
        if value.is_empty() || limit == 0 {
            return Guess::Data;
        }
        if let Some(known) = self.found.borrow().get(value) {
            return known.clone();
        }
        let guess = match (self.flow.stored(value), self.flow.producer(value)) {
            (Some(stored), _) => constant(stored.values.as_deref().unwrap_or_default()),
            (None, Some(call)) => self.made_by(call, limit - 1),
            (None, None) => Guess::Data,
        };
        let mut found = self.found.borrow_mut();
        found.insert(value.to_owned(), guess.clone());
        guess
    }

    fn made_by(&self, call: Call<'_>, limit: usize) -> Guess {
        let mut operands = Vec::new();
        for input in &call.node.inputs {
            operands.push(self.guess(input, limit));
        }
        call.evaluate(&operands).result
    }

    /// Signs of the meaning of an input whose elements are all `value`.
    pub fn signs(&self, input: &str, value: f64) -> Signs {
        let mut signs = Signs::new();
        let mut turns: HashMap<usize, usize> = HashMap::new();
        let mut reached = Reached {
            known: self,
            guesses: HashMap::new(),
            queue: BTreeSet::new(),
        };
        reached.spread(input, &Guess::all(value));
        while let Some(index) = reached.queue.pop_first() {
            let turn = turns.entry(index).or_default();
            *turn += 1;
            if *turn > TURNS {
                continue;
            }
            let call = self.flow.call(index);
            let Evaluated { result, sign } = reached.evaluated(call);
            match sign {
                Some(sign) => drop(signs.insert(index, sign)),
                None => drop(signs.remove(&index)),
            }
            for output in call.node.outputs.iter().filter(|name| !name.is_empty()) {
                if reached.guesses.get(output.as_str()) != Some(&result) {
                    reached.spread(output, &result);
                }
            }
        }
        signs
    }
}

/// Guesses of values that come from the input, and the nodes that are to be evaluated with them.
struct Reached<'s> {
    known: &'s Known<'s>,
    guesses: HashMap<&'s str, Guess>,
    queue: BTreeSet<usize>,
}

impl<'s> Reached<'s> {
    /// Evaluates a node with what the input has made of its operands, and what is known of the
    /// others; without a sign where nothing is known because of the input.
    fn evaluated(&self, call: Call<'_>) -> Evaluated {
        let (mut operands, mut is_reached) = (Vec::new(), false);
        for name in &call.node.inputs {
            let reached = self.guesses.get(name.as_str());
            is_reached |= reached.is_some_and(|guess| *guess != Guess::Data);
            let known = reached.cloned();
            operands.push(known.unwrap_or_else(|| self.known.guess(name, TRACE_LIMIT)));
        }
        let Evaluated { result, sign } = call.evaluate(&operands);
        Evaluated {
            result,
            sign: sign.filter(|_| is_reached),
        }
    }

    /// Notes what is known of a value and of its other names, and puts those that read it in the
    /// queue.
    fn spread(&mut self, value: &'s str, guess: &Guess) {
        let goes_on = *guess != Guess::Data || self.guesses.contains_key(value);
        let flow = self.known.flow;
        for name in std::iter::once(value).chain(flow.aliases(value)) {
            self.guesses.insert(name, guess.clone());
            if goes_on {
                self.queue.extend(flow.readers(name));
            }
        }
    }
}

fn constant(values: &[f64]) -> Guess {
    match values {
        [] => Guess::Data,
        [first, rest @ ..] if rest.iter().all(|value| value == first) => Guess::all(*first),
        _ if are_places(values) => Guess::Places(Some(values.len() as f64)),
        _ if values.len() <= LIST_LIMIT => Guess::List(values.to_vec()),
        _ => Guess::Data,
    }
}

fn are_places(values: &[f64]) -> bool {
    let mut values = values.iter().enumerate();
    values.all(|(place, &value)| value == place as f64)
}
