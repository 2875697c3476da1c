//! Values of a model while one input holds one number everywhere, and the question that this
//! answers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::evaluate::evaluate;
use super::guess::{Evaluated, Guess, Sign};
use super::{ElementType, Fill, FillKind, Flow, IndexBound, Node, Shapes, TensorInfo};

/// How far back a value that does not depend on the input is traced.
const TRACE_LIMIT: usize = 48;
const LIST_LIMIT: usize = 4096;
/// How often each node is evaluated at most: twice for what a loop's body gives back.
const TURNS: usize = 3;

/// An input whose values may decide how much is computed.
pub(super) struct Question<'q, 'm> {
    pub info: &'q TensorInfo,
    pub element_type: ElementType,
    pub flow: &'q Flow<'m>,
    pub known: &'q Known<'q, 'm>,
    pub inputs: &'q [TensorInfo],
    pub shapes: &'q Shapes,
    pub bound: Option<&'q IndexBound>,
    pub compared: &'q [f64],
}

impl Question<'_, '_> {
    /// Numbers of one sample in the input.
    pub fn elements(&self) -> u64 {
        super::elements(
            self.shapes
                .get(self.info.name.exact())
                .map_or(&[][..], Vec::as_slice),
        )
    }

    /// A fill of one value everywhere that decides how much is computed.
    pub fn constant(&self, value: f64, reason: String) -> Fill {
        Fill {
            kind: FillKind::Constant(value),
            reason,
            steers: true,
        }
    }

    /// Whether a value lies within the bound of the input, where it has one.
    pub fn allows(&self, value: f64) -> bool {
        self.bound
            .is_none_or(|bound| (bound.low..=bound.high).contains(&value))
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
pub(super) struct Known<'f, 'm> {
    flow: &'f Flow<'m>,
    found: RefCell<HashMap<String, Guess>>,
}

/// Signs by the index of the node that shows them.
pub(super) type Signs = BTreeMap<usize, Sign>;

impl<'f, 'm> Known<'f, 'm> {
    pub fn new(flow: &'f Flow<'m>) -> Known<'f, 'm> {
        Known {
            flow,
            found: RefCell::default(),
        }
    }

    pub fn guess(&self, value: &str) -> Guess {
        self.guess_within(value, TRACE_LIMIT)
    }

    fn guess_within(&self, value: &str, limit: usize) -> Guess {
        if value.is_empty() || limit == 0 {
            return Guess::Data;
        }
        if let Some(known) = self.found.borrow().get(value) {
            return known.clone();
        }
        let guess = match (self.flow.stored(value), self.flow.producer(value)) {
            (Some(stored), _) => stored.values.as_deref().map_or(Guess::Data, constant),
            (None, Some(node)) => self.made_by(node, limit - 1),
            (None, None) => Guess::Data,
        };
        self.found
            .borrow_mut()
            .insert(value.to_owned(), guess.clone());
        guess
    }

    fn made_by(&self, node: usize, limit: usize) -> Guess {
        let node = self.flow.node(node);
        let operands: Vec<Guess> = node
            .inputs
            .iter()
            .map(|input| self.guess_within(input, limit))
            .collect();
        evaluate(self.flow, node, &operands).result
    }

    /// Signs of the meaning of an input whose elements are all `value`.
    pub fn signs(&self, input: &str, value: f64) -> Signs {
        let mut signs = Signs::new();
        let mut reached: HashMap<&str, Guess> = HashMap::from([(input, Guess::all(value))]);
        let mut turns: HashMap<usize, usize> = HashMap::new();
        let mut queue: BTreeSet<usize> = BTreeSet::new();
        self.spread(input, Guess::all(value), &mut reached, &mut queue);
        while let Some(index) = queue.pop_first() {
            let turn = turns.entry(index).or_default();
            *turn += 1;
            if *turn > TURNS {
                continue;
            }
            let node = self.flow.node(index);
            let evaluated = self.evaluated(node, &reached);
            match evaluated.sign.filter(|_| is_reached(node, &reached)) {
                Some(sign) => drop(signs.insert(index, sign)),
                None => drop(signs.remove(&index)),
            }
            for output in node.outputs.iter().filter(|name| !name.is_empty()) {
                if reached.get(output.as_str()) != Some(&evaluated.result) {
                    self.spread(output, evaluated.result.clone(), &mut reached, &mut queue);
                }
            }
        }
        signs
    }

    /// Evaluates a node with what the input has made of its operands, and what is known of the
    /// others.
    fn evaluated(&self, node: &Node, reached: &HashMap<&str, Guess>) -> Evaluated {
        let operands: Vec<Guess> = node
            .inputs
            .iter()
            .map(|name| match reached.get(name.as_str()) {
                Some(guess) => guess.clone(),
                None => self.guess(name),
            })
            .collect();
        evaluate(self.flow, node, &operands)
    }

    /// Notes what is known of a value and of its other names, and puts those that read it in the
    /// queue.
    fn spread<'s>(
        &'s self,
        value: &'s str,
        guess: Guess,
        reached: &mut HashMap<&'s str, Guess>,
        queue: &mut BTreeSet<usize>,
    ) {
        let goes_on = guess != Guess::Data || reached.contains_key(value);
        for name in std::iter::once(value).chain(self.flow.aliases(value)) {
            reached.insert(name, guess.clone());
            if goes_on {
                queue.extend(self.flow.readers(name));
            }
        }
    }
}

/// Whether something is known of an operand because of the input.
fn is_reached(node: &Node, reached: &HashMap<&str, Guess>) -> bool {
    node.inputs.iter().any(|name| {
        reached
            .get(name.as_str())
            .is_some_and(|guess| *guess != Guess::Data)
    })
}

fn constant(values: &[f64]) -> Guess {
    let [first, rest @ ..] = values else {
        return Guess::Data;
    };
    if rest.iter().all(|value| value == first) {
        return Guess::all(*first);
    }
    if values
        .iter()
        .enumerate()
        .all(|(place, &value)| value == place as f64)
    {
        return Guess::Places(Some(values.len() as f64));
    }
    if values.len() <= LIST_LIMIT {
        Guess::List(values.to_vec())
    } else {
        Guess::Data
    }
}
