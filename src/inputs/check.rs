//! Whether data fits a model's inputs.

use std::collections::BTreeMap;
use std::path::Path;

use super::data::{Data, Set, Source};
use super::dims::{dims_of, has_rank, sample_axis};
use super::synthesize::fed_type;
use super::wanted::{Expected, Wanted};
use super::{InputError, Misfit, Result};
use crate::plan::ElementType;
use crate::record::{BatchAxis, Dim, FedInput, TensorInfo};

/// Checks types and shapes of all arrays. A type other than the input's is an error unless it is
/// one that is cast.
pub(super) fn check(data: &Data, expected: &Expected<'_>) -> Result<()> {
    for set in &data.sets {
        let mut fitting = Fitting {
            expected,
            symbols: BTreeMap::new(),
        };
        for (info, source) in expected.inputs.iter().zip(&set.inputs) {
            if let Some(misfit) = fitting.misfit(info, source)? {
                return Err(InputError::Array(
                    data.path.clone(),
                    info.name.exact().to_owned(),
                    misfit,
                ));
            }
            source.probe()?;
        }
    }
    Ok(())
}

fn unlike_type(source: &Source, expected: ElementType) -> Misfit {
    let found = source.type_name();
    let is_number = source
        .element_type()
        .is_some_and(|found| found.is_integer() || found == ElementType::Bool);
    match expected {
        _ if source.is_objects() => Misfit::Objects(expected),
        expected if expected.is_float() && is_number => Misfit::WholeForFloat(found, expected),
        expected => Misfit::ElementType(found, expected),
    }
}

/// Arrays of a set against the inputs, with the sizes that dimensions of a name have so far.
struct Fitting<'e> {
    expected: &'e Expected<'e>,
    symbols: BTreeMap<&'e str, u64>,
}

impl<'e> Fitting<'e> {
    fn misfit(&mut self, info: &'e TensorInfo, source: &Source) -> Result<Option<Misfit>> {
        let wanted = fed_type(info)?;
        if !source.takes(wanted) {
            return Ok(Some(unlike_type(source, wanted)));
        }
        let shape = source.shape();
        if source.no_tensor().is_some() || self.fits(info, shape) {
            return Ok(None);
        }
        Ok(Some(Misfit::Shape {
            found: format!("{shape:?}"),
            expected: self.describe(info),
            channels: Wanted::of(info, self.expected).channels(shape),
        }))
    }

    fn fits(&mut self, info: &'e TensorInfo, shape: &[usize]) -> bool {
        let dims = dims_of(info);
        let sizes = shape.iter().map(|&size| size as u64);
        let mut sizes = dims.iter().zip(sizes).enumerate();
        !has_rank(info)
            || dims.len() == shape.len()
                && sizes.all(|(axis, (dim, size))| match dim {
                    _ if self.expected.is_batch(info, axis) => true,
                    Dim::Fixed(fixed) => *fixed == size,
                    Dim::Symbolic(name) => {
                        *self.symbols.entry(name.exact()).or_insert(size) == size
                            && self.allows(name.exact(), size)
                    }
                    Dim::Unknown => self.allows(&format!("{}.{axis}", info.name.exact()), size),
                })
    }

    /// Whether no other size is asked for.
    fn allows(&self, dim: &str, size: u64) -> bool {
        let asked = self.expected.asked.get(&dim.into());
        asked.is_none_or(|&asked| asked == size)
    }

    fn describe(&self, info: &TensorInfo) -> String {
        let sizes = dims_of(info).iter().enumerate().map(|(axis, dim)| {
            match (dim, self.expected.is_batch(info, axis)) {
                (Dim::Fixed(size), false) => size.to_string(),
                (Dim::Symbolic(name), false) => self.describe_symbol(name.exact()),
                (Dim::Symbolic(name), true) => name.exact().to_owned(),
                (Dim::Fixed(_) | Dim::Unknown, _) => "any".to_owned(),
            }
        });
        format!("[{}]", sizes.collect::<Vec<_>>().join(", "))
    }

    fn describe_symbol(&self, name: &str) -> String {
        match self
            .expected
            .asked
            .get(&name.into())
            .or(self.symbols.get(name))
        {
            Some(size) => format!("{name}={size}"),
            None => name.to_owned(),
        }
    }
}

/// Number of samples in a set, along each input's batch axis; 1 for a model without one.
pub(super) fn samples(
    data: &Data,
    set: &Set,
    fed: &[FedInput],
    batch: &BatchAxis,
) -> Result<usize> {
    let mut counts = set.inputs.iter().zip(fed).filter_map(|(source, fed)| {
        let count = *source.shape().get(sample_axis(fed, batch)?)?;
        Some((fed.name.exact(), count))
    });
    let Some((first, expected)) = counts.next() else {
        return Ok(1);
    };
    if let Some((input, found)) = counts.find(|&(_, count)| count != expected) {
        return Err(InputError::SampleCount {
            path: data.path.clone(),
            input: input.to_owned(),
            found: found as u64,
            other: first.to_owned(),
            expected: expected as u64,
        });
    }
    if expected == 0 {
        return Err(InputError::NoSamples(data.path.clone()));
    }
    Ok(expected)
}

/// Checks that arrays still have as many dimensions as when the plan was made.
pub(super) fn check_ranks(path: &Path, set: &Set, fed: &[FedInput]) -> Result<()> {
    let Some((source, fed)) = set
        .inputs
        .iter()
        .zip(fed)
        .find(|(source, fed)| source.shape().len() != fed.dims.len())
    else {
        return Ok(());
    };
    let misfit = Misfit::Shape {
        found: format!("{:?}", source.shape()),
        expected: format!("{} dimensions", fed.dims.len()),
        channels: None,
    };
    Err(InputError::Array(
        path.to_owned(),
        fed.name.exact().to_owned(),
        misfit,
    ))
}
