//! Sizes of dimensions that a model leaves open: as asked for, or a default that is said.

use std::collections::{BTreeMap, BTreeSet};

use super::InputError;
use crate::record::{BatchAxis, Dim, TensorInfo, ValueType};

/// Defaults by what a dimension's name says: tokens of a short text, an image of the usual size, its colours, a second
/// of speech. Further names are tried in this order.
const NAMED_DEFAULTS: [(&[&str], u64); 5] = [
    (&["audio", "waveform", "num_samples"], 16_000),
    (&["seq", "length", "token", "time", "text"], 128),
    (&["height", "width"], 224),
    (&["channel"], 3),
    (&["frame"], 100),
];
/// Size of an open dimension whose name says nothing.
const OTHER_DEFAULT: u64 = 16;

/// Sizes of all open dimensions.
#[derive(Debug)]
pub(super) struct Dims {
    batch: BatchAxis,
    sizes: BTreeMap<String, u64>,
    /// Remarks on defaults that were taken.
    pub notes: Vec<String>,
}

impl Dims {
    /// Takes sizes from `asked` (`--dim`), the others by default.
    ///
    /// # Errors
    /// `asked` names the batch, a dimension that the model fixes, or one that no input has.
    pub fn new(inputs: &[TensorInfo], batch: &BatchAxis, asked: &BTreeMap<String, u64>) -> Result<Dims, InputError> {
        let mut open = BTreeSet::new();
        let mut batch_names: BTreeSet<String> = batch.symbol.iter().cloned().collect();
        for info in inputs {
            for (axis, dim) in dims_of(info).iter().enumerate() {
                match dim {
                    Dim::Fixed(_) => {}
                    _ if is_batch(batch, &info.name, axis, dim) => drop(batch_names.insert(name(info, axis, dim))),
                    _ => drop(open.insert(name(info, axis, dim))),
                }
            }
        }
        if let Some(name) = asked.keys().find(|name| !open.contains(*name)).cloned() {
            if batch_names.contains(&name) {
                return Err(InputError::BatchDim { name });
            }
            if let Some(size) = fixed_size(inputs, &name) {
                return Err(InputError::FixedDim { name, size });
            }
            return Err(InputError::UnknownDim { name, present: open.into_iter().collect() });
        }
        let mut dims = Dims { batch: batch.clone(), sizes: asked.clone(), notes: Vec::new() };
        let (expressions, plain): (Vec<_>, Vec<_>) = open.iter().partition(|name| terms(name).is_some());
        for name in plain.into_iter().chain(expressions) {
            dims.settle(name);
        }
        Ok(dims)
    }

    /// Size of a dimension; absent where the batch size stands.
    pub fn size(&self, info: &TensorInfo, axis: usize) -> Option<u64> {
        match &dims_of(info)[axis] {
            dim if is_batch(&self.batch, &info.name, axis, dim) => None,
            Dim::Fixed(size) => Some(*size),
            dim => Some(self.sizes.get(&name(info, axis, dim)).copied().unwrap_or(OTHER_DEFAULT)),
        }
    }

    /// Sizes of all dimensions of an input; absent where the batch size stands.
    pub fn shape(&self, info: &TensorInfo) -> Vec<Option<u64>> {
        (0..dims_of(info).len()).map(|axis| self.size(info, axis)).collect()
    }

    /// Size of a symbolic dimension by its name, 1 for the batch.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        if self.batch.symbol.as_deref() == Some(name) { Some(1) } else { self.sizes.get(name).copied() }
    }

    fn settle(&mut self, name: &str) {
        if self.sizes.contains_key(name) {
            return;
        }
        let (size, why) = match self.evaluate(name) {
            Some(size) => (size, "from its parts"),
            None => (default_size(name), "default"),
        };
        self.sizes.insert(name.to_owned(), size);
        self.notes.push(format!("dimension `{name}` set to {size} ({why}); use --dim {}=N", shell_word(name)));
    }

    /// Value of a sum or product of dimensions, such as `past_length + 1`.
    fn evaluate(&self, name: &str) -> Option<u64> {
        let sum = terms(name)?;
        sum.iter().try_fold(0_u64, |sum, product| {
            let product = product.iter().try_fold(1_u64, |product, factor| {
                let value = factor.parse().ok().or_else(|| self.symbol(factor))?;
                product.checked_mul(value)
            })?;
            sum.checked_add(product)
        })
    }
}

/// Size of the dimension that is called `INPUT.AXIS`, if the model fixes it.
fn fixed_size(inputs: &[TensorInfo], name: &str) -> Option<u64> {
    let (input, axis) = name.rsplit_once('.')?;
    let info = inputs.iter().find(|info| info.name == input)?;
    match dims_of(info).get(axis.parse::<usize>().ok()?)? {
        Dim::Fixed(size) => Some(*size),
        _ => None,
    }
}

/// Dimensions of a tensor; none where their number is not known.
pub(super) fn dims_of(info: &TensorInfo) -> &[Dim] {
    match &info.value_type {
        ValueType::Tensor { dims: Some(dims), .. } => dims,
        _ => &[],
    }
}

/// Whether the batch size stands at an axis of an input.
fn is_batch(batch: &BatchAxis, input: &str, axis: usize, dim: &Dim) -> bool {
    match dim {
        Dim::Symbolic(name) if batch.symbol.is_some() => batch.symbol.as_ref() == Some(name),
        _ => batch.axes.get(input) == Some(&(axis as u64)),
    }
}

/// What a dimension is called in `--dim`: its symbol, or `INPUT.AXIS`.
fn name(info: &TensorInfo, axis: usize, dim: &Dim) -> String {
    match dim {
        Dim::Symbolic(name) => name.clone(),
        _ => format!("{}.{axis}", info.name),
    }
}

fn default_size(name: &str) -> u64 {
    let lower = name.to_lowercase();
    let by_word = NAMED_DEFAULTS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word)));
    match lower.as_str() {
        "s" | "t" | "l" => 128,
        "h" | "w" => 224,
        "c" => 3,
        _ => by_word.map_or(OTHER_DEFAULT, |&(_, size)| size),
    }
}

/// Factors of each summand of an expression; absent for a plain name.
fn terms(name: &str) -> Option<Vec<Vec<&str>>> {
    let expression = name.contains(['+', '*']) && !name.contains(['(', ')', '/', '-']);
    expression.then(|| name.split('+').map(|term| term.split('*').map(str::trim).collect()).collect())
}

fn shell_word(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| name.to_owned(), |word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;
    use crate::record::AxisReason;

    fn input(name: &str, dims: Vec<Dim>) -> TensorInfo {
        let value_type = ValueType::Tensor { element_type: ElementType::Int64, dims: Some(dims) };
        TensorInfo { name: name.to_owned(), value_type }
    }

    fn symbol(name: &str) -> Dim {
        Dim::Symbolic(name.to_owned())
    }

    fn batch() -> BatchAxis {
        BatchAxis {
            axes: BTreeMap::from([("ids".to_owned(), 0)]),
            symbol: Some("batch".to_owned()),
            fixed_size: None,
            reason: AxisReason::SymbolName,
            proof: Default::default(),
        }
    }

    fn dims(inputs: &[TensorInfo], asked: &[(&str, u64)]) -> Result<Dims, InputError> {
        let asked = asked.iter().map(|&(name, size)| (name.to_owned(), size)).collect();
        Dims::new(inputs, &batch(), &asked)
    }

    #[test]
    fn unset_dimension_gets_a_default_that_is_said() {
        let ids = input("ids", vec![symbol("batch"), symbol("sequence_length"), Dim::Unknown]);
        let dims = dims(std::slice::from_ref(&ids), &[]).unwrap();
        assert_eq!(dims.shape(&ids), [None, Some(128), Some(16)]);
        let said = "dimension `sequence_length` set to 128 (default); use --dim sequence_length=N";
        assert!(dims.notes.iter().any(|note| note == said), "{:?}", dims.notes);
    }

    #[test]
    fn dimension_is_set_by_symbol_or_by_input_and_axis() {
        let ids = input("ids", vec![symbol("batch"), symbol("sequence_length"), Dim::Unknown]);
        let dims = dims(std::slice::from_ref(&ids), &[("sequence_length", 7), ("ids.2", 9)]).unwrap();
        assert_eq!(dims.shape(&ids), [None, Some(7), Some(9)]);
        assert!(dims.notes.is_empty());
    }

    #[test]
    fn sum_of_dimensions_follows_its_parts() {
        let inputs = [input("ids", vec![symbol("batch"), symbol("past")]), input("mask", vec![symbol("past + 1")])];
        assert_eq!(dims(&inputs, &[("past", 4)]).unwrap().shape(&inputs[1]), [Some(5)]);
    }

    #[test]
    fn unknown_dimension_is_an_error_that_lists_those_present() {
        let error = dims(&[input("ids", vec![symbol("batch"), symbol("tokens")])], &[("sequence", 7)]).unwrap_err();
        assert_eq!(error.to_string(), "no input has a dimension `sequence`; the dimensions are `tokens`");
    }

    #[test]
    fn fixed_dimension_is_not_set_by_dim() {
        let error = dims(&[input("ids", vec![symbol("batch"), Dim::Fixed(7)])], &[("ids.1", 8)]).unwrap_err();
        assert_eq!(error.to_string(), "dimension `ids.1` is fixed at 7 by the model");
    }

    #[test]
    fn batch_dimension_is_not_set_by_dim() {
        let error = dims(&[input("ids", vec![symbol("batch")])], &[("batch", 7)]).unwrap_err();
        assert!(matches!(error, InputError::BatchDim { .. }));
        assert_eq!(error.hint(), Some("set batch sizes with --batch"));
    }
}
