//! A model's precision in one word.

use super::{Model, Node};
use crate::plan::ElementType;
use crate::record::{Precision, PrecisionShare, WeightBytes};
use crate::units::{Bytes, Ratio};

/// Share of the floating-point weights' bytes that names the model: scales and the like are of
/// another type.
const NAMING_SHARE: f64 = 0.9;

#[derive(Default)]
struct Traits {
    qoperator: bool,
    dynamic: bool,
    quantize: bool,
    dequantize: bool,
    block_bits: Option<i64>,
}

/// The label, by the first of these that holds: weights quantized in blocks; operators that take
/// and give integers; operators that quantize as they go; quantize and dequantize nodes; else the
/// floating-point type of the weights.
pub(super) fn precision(model: &Model, weights: &[WeightBytes]) -> Precision {
    let mut traits = Traits::default();
    model
        .all_graphs()
        .flat_map(|graph| &graph.nodes)
        .for_each(|node| note(&mut traits, node));
    let label = quantized_label(&traits, weights).unwrap_or_else(|| float_label(model, weights));
    Precision {
        label: label.into(),
        shares: shares(weights),
    }
}

fn shares(weights: &[WeightBytes]) -> Vec<PrecisionShare> {
    let total: Bytes = weights.iter().map(|row| row.bytes).sum();
    weights
        .iter()
        .filter(|row| row.bytes.0 > 0)
        .map(|row| PrecisionShare {
            element_type: row.element_type,
            bytes_ratio: Ratio(row.bytes.as_f64() / total.as_f64()),
        })
        .collect()
}

fn note(traits: &mut Traits, node: &Node) {
    match node.operator.as_str() {
        "QuantizeLinear" => traits.quantize = true,
        "DequantizeLinear" => traits.dequantize = true,
        "MatMulNBits" | "GatherBlockQuantized" | "QMoE" => {
            traits.block_bits = traits.block_bits.or(node.integer("bits")).or(Some(4));
        }
        "MatMulBnb4" => traits.block_bits = traits.block_bits.or(Some(4)),
        "MatMulInteger"
        | "ConvInteger"
        | "DynamicQuantizeLinear"
        | "DynamicQuantizeMatMul"
        | "DynamicQuantizeLSTM"
        | "MatMulIntegerToFloat"
        | "QAttention" => traits.dynamic = true,
        "QGemm" => traits.qoperator = true,
        operator if operator.starts_with("QLinear") => traits.qoperator = true,
        _ => {}
    }
}

fn quantized_label(traits: &Traits, weights: &[WeightBytes]) -> Option<String> {
    if let Some(bits) = traits.block_bits {
        return Some(format!("int{bits} block"));
    }
    let width = integer_width(weights);
    match traits {
        Traits {
            qoperator: true, ..
        } => Some("int8 QOperator".to_owned()),
        Traits { dynamic: true, .. } => Some("int8 dynamic".to_owned()),
        Traits {
            dequantize: true, ..
        } if matches!(width, Some("int4" | "int2")) => Some(format!("{} block", width?)),
        Traits {
            quantize: true,
            dequantize: true,
            ..
        } => Some(format!("{} QDQ", width.unwrap_or("int8"))),
        Traits {
            dequantize: true, ..
        } => width.map(|width| format!("{width} weight-only")),
        _ => None,
    }
}

/// The narrow type of most of the quantized weights' bytes. Biases are int32 and shapes int64,
/// which do not count.
fn integer_width(weights: &[WeightBytes]) -> Option<&'static str> {
    weights
        .iter()
        .filter(|row| row.bytes.0 > 0)
        .find_map(|row| match row.element_type {
            ElementType::Int2 | ElementType::Uint2 => Some("int2"),
            ElementType::Int4 | ElementType::Uint4 => Some("int4"),
            ElementType::Float4e2m1 => Some("fp4"),
            ElementType::Int8 | ElementType::Uint8 => Some("int8"),
            ElementType::Int16 | ElementType::Uint16 => Some("int16"),
            ElementType::Float8e4m3fn
            | ElementType::Float8e4m3fnuz
            | ElementType::Float8e5m2
            | ElementType::Float8e5m2fnuz
            | ElementType::Float8e8m0 => Some("fp8"),
            _ => None,
        })
}

fn float_label(model: &Model, weights: &[WeightBytes]) -> String {
    let floats: Vec<(&'static str, Bytes)> = weights
        .iter()
        .filter_map(|row| Some((float_name(row.element_type)?, row.bytes)))
        .collect();
    let total: Bytes = floats.iter().map(|(_, bytes)| *bytes).sum();
    let Some(&(name, bytes)) = floats.first().filter(|(_, bytes)| bytes.0 > 0) else {
        return io_label(model);
    };
    if bytes.as_f64() >= NAMING_SHARE * total.as_f64() {
        name.to_owned()
    } else {
        "mixed".to_owned()
    }
}

/// Label of a model without floating-point weights: the type of its floating-point inputs and
/// outputs.
fn io_label(model: &Model) -> String {
    let infos = model.graph.inputs.iter().chain(&model.graph.outputs);
    let mut names: Vec<&str> = infos
        .filter_map(|info| float_name(info.value_type.element_type()?))
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => "no floating point".to_owned(),
        [name] => (*name).to_owned(),
        _ => "mixed".to_owned(),
    }
}

fn float_name(element_type: ElementType) -> Option<&'static str> {
    match element_type {
        ElementType::Float => Some("fp32"),
        ElementType::Float16 => Some("fp16"),
        ElementType::Bfloat16 => Some("bf16"),
        ElementType::Double => Some("fp64"),
        _ => None,
    }
}
