//! Whether data fits a model's inputs.

use std::collections::BTreeMap;
use std::path::Path;

use super::data::{Data, Set, Source};
use super::dims::{SampleAxis, dims_of};
use super::synthesize::fed_type;
use super::wanted::{Expected, Wanted};
use super::{InputError, Misfit};
use crate::plan::ElementType;
use crate::record::{Dim, FedInput, TensorInfo};

/// Checks types and shapes of all arrays. A type other than the input's is an error unless it is
/// one that is cast.
pub(super) fn check(data: &Data, expected: &Expected<'_>) -> Result<(), InputError> {
    for set in &data.sets {
        let mut symbols = BTreeMap::new();
        for (info, source) in expected.inputs.iter().zip(&set.inputs) {
            if let Some(misfit) = expected.misfit(info, source, &mut symbols)? {
                let path = data.path.clone();
                return Err(InputError::Array(
                    path,
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

impl Expected<'_> {
    fn misfit<'i>(
        &self,
        info: &'i TensorInfo,
        source: &Source,
        symbols: &mut BTreeMap<&'i str, u64>,
    ) -> Result<Option<Misfit>, InputError> {
        let wanted = fed_type(info)?;
        if !source.takes(wanted) {
            return Ok(Some(unlike_type(source, wanted)));
        }
        let shape = source.shape();
        if source.no_tensor().is_some() || self.fits(info, shape, symbols) {
            return Ok(None);
        }
        Ok(Some(Misfit::Shape {
            found: format!("{shape:?}"),
            expected: self.describe(info, symbols),
            channels: Wanted::of(info, self).channels(shape),
        }))
    }

    fn fits<'i>(
        &self,
        info: &'i TensorInfo,
        shape: &[usize],
        symbols: &mut BTreeMap<&'i str, u64>,
    ) -> bool {
        if matches!(info.value_type.as_tensor(), Some((_, None))) {
            return true;
        }
        let dims = dims_of(info);
        let mut sizes = dims.iter().zip(shape).enumerate();
        dims.len() == shape.len()
            && sizes.all(|(axis, (dim, &size))| match dim {
                _ if self.is_batch(info, axis) => true,
                Dim::Fixed(fixed) => *fixed == size as u64,
                Dim::Symbolic(name) => {
                    *symbols.entry(name.exact()).or_insert(size as u64) == size as u64
                        && self.allows(name.exact(), size)
                }
                Dim::Unknown => self.allows(&format!("{}.{axis}", info.name.exact()), size),
            })
    }

    /// Whether no other size is asked for.
    fn allows(&self, dim: &str, size: usize) -> bool {
        self.asked
            .get(dim)
            .is_none_or(|&asked| asked == size as u64)
    }

    fn describe(&self, info: &TensorInfo, symbols: &BTreeMap<&str, u64>) -> String {
        let dims = dims_of(info).iter().enumerate();
        let sizes = dims.map(|(axis, dim)| match dim {
            Dim::Fixed(size) if !self.is_batch(info, axis) => size.to_string(),
            Dim::Symbolic(name) if self.is_batch(info, axis) => name.exact().to_owned(),
            Dim::Symbolic(name) => self.describe_symbol(name.exact(), symbols),
            Dim::Fixed(_) | Dim::Unknown => "any".to_owned(),
        });
        format!("[{}]", sizes.collect::<Vec<_>>().join(", "))
    }

    fn describe_symbol(&self, name: &str, symbols: &BTreeMap<&str, u64>) -> String {
        match self.asked.get(name).or_else(|| symbols.get(name)) {
            Some(size) => format!("{name}={size}"),
            None => name.to_owned(),
        }
    }
}

/// Number of samples in a set, along each input's batch axis; 1 for a model without one.
pub(super) fn samples(
    data: &Data,
    set: &Set,
    axes: &[SampleAxis<'_>],
) -> Result<usize, InputError> {
    let mut counts = set.inputs.iter().zip(axes).filter_map(|(source, axis)| {
        let count = *source.shape().get(axis.axis?)?;
        Some((axis.input, count))
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
        let path = data.path.clone();
        return Err(InputError::NoSamples { path });
    }
    Ok(expected)
}

/// Checks that arrays still have as many dimensions as when the plan was made.
pub(super) fn check_ranks(path: &Path, set: &Set, fed: &[FedInput]) -> Result<(), InputError> {
    let changed = set
        .inputs
        .iter()
        .zip(fed)
        .find(|(source, fed)| source.shape().len() != fed.dims.len());
    changed.map_or(Ok(()), |(source, fed)| {
        let expected = format!("{} dimensions", fed.dims.len());
        let misfit = Misfit::Shape {
            found: format!("{:?}", source.shape()),
            expected,
            channels: None,
        };
        Err(InputError::Array(
            path.to_owned(),
            fed.name.exact().to_owned(),
            misfit,
        ))
    })
}
