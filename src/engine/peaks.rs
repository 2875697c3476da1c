//! The most that a machine does through ONNX Runtime: products of large matrices, and an addition
//! that no cache holds.
//!
//! The models are made in memory, so that the figures are those of the same library, threads and
//! kernels that run the user's model.

use ort::editor::{Graph, Model, Node, ONNX_DOMAIN, Opset};
use ort::memory::Allocator;
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;
use ort::value::{
    Outlet, PrimitiveTensorElementType, Shape, SymbolicDimensions, Tensor as OrtTensor,
    TensorElementType, ValueType,
};

use super::Result;
use super::message::words;
use super::{io_binding, value};
use crate::inputs::{Tensor, TensorData};
use crate::measure::{Clock, MonotonicClock};
use crate::observed::Observed;
use crate::record::{Peak, PeakRates};
use crate::units::{Bytes, Nanos};

/// Rows and columns of the matrices: their product takes a few milliseconds of one core, short
/// enough for some to pass undisturbed on a busy machine, and each fits a cache.
const SIZE: usize = 512;
const OPSET: u32 = 17;
/// Of one figure.
const REPETITIONS: std::ops::RangeInclusive<usize> = 3..=300;

/// Measures all three, each for `length` or three repetitions, whichever takes longer. `session`
/// makes options for a new session; `tensor_size` is that of each of the three tensors of the
/// addition.
pub(super) fn measure(
    session: Options<'_>,
    length: Nanos,
    tensor_size: Observed<Bytes>,
) -> PeakRates {
    let operations = 2.0 * (SIZE as f64).powi(3);
    let bytes = array(&[SIZE, SIZE], |place| (place % 251) as u8);
    PeakRates {
        fp32_flops_per_sec: fastest(
            FLOATS.product(
                session,
                TensorData::Float(array(&[SIZE, SIZE], centred)),
                centred,
            ),
            operations,
            length,
        ),
        int8_ops_per_sec: fastest(
            BYTES.product(session, TensorData::Uint8(bytes), |place| {
                (place % 251) as u8 as i8
            }),
            operations,
            length,
        ),
        memory_bytes_per_sec: tensor_size.and_then(|size| {
            let elements = (size.0 / 4) as usize;
            fastest(addition(session, elements), 12.0 * elements as f64, length)
        }),
    }
}

/// Makes options for a new session.
type Options<'o> = &'o dyn Fn() -> ort::Result<SessionBuilder>;

type Ready = ort::Result<(OrtSession, Vec<Tensor>)>;

fn fastest(ready: Ready, amount: f64, length: Nanos) -> Observed<Peak> {
    let (session, inputs) = ready.map_err(|error| words(error.message()))?;
    let mut rates = rates(&session, inputs, amount, length).map_err(|error| error.to_string())?;
    rates.sort_unstable_by(f64::total_cmp);
    Ok(Peak {
        highest_per_sec: rates.last().copied().ok_or("nothing was measured")?,
        median_per_sec: rates[rates.len() / 2],
        n: rates.len() as u64,
    })
}

fn rates(
    session: &OrtSession,
    inputs: Vec<Tensor>,
    amount: f64,
    length: Nanos,
) -> Result<Vec<f64>> {
    let mut inference = io_binding::bind(
        session,
        io_binding::MemoryPlace::host(),
        io_binding::NO_GRAPH,
        &[value::hold_tensors(inputs)?],
    )?;
    inference.run()?;
    let began = MonotonicClock.now();
    let mut rates = Vec::new();
    while rates.len() < *REPETITIONS.end() {
        let start = MonotonicClock.now();
        inference.run()?;
        let now = MonotonicClock.now();
        rates.push(amount / now.since(start).as_secs_f64().max(1e-9));
        if rates.len() >= *REPETITIONS.start() && now.since(began) > length {
            break;
        }
    }
    Ok(rates)
}

/// A product of two square matrices.
struct Product {
    operator: &'static str,
    takes: TensorElementType,
    gives: TensorElementType,
}

/// A float matrix times one of floats.
const FLOATS: Product = Product {
    operator: "MatMul",
    takes: TensorElementType::Float32,
    gives: TensorElementType::Float32,
};

/// A matrix of bytes times one of signed bytes, summed up in 32 bits: what quantized models come
/// down to.
const BYTES: Product = Product {
    operator: "MatMulInteger",
    takes: TensorElementType::Uint8,
    gives: TensorElementType::Int32,
};

impl Product {
    /// Of an input and a matrix that the session knows beforehand, as weights are.
    fn product<T: PrimitiveTensorElementType + std::fmt::Debug>(
        self,
        session: Options<'_>,
        data: TensorData,
        weight: impl Fn(usize) -> T,
    ) -> Ready {
        let mut graph = Graph::new()?;
        graph.set_inputs([outlet("a", self.takes, &[SIZE, SIZE])])?;
        graph.set_outputs([outlet("y", self.gives, &[SIZE, SIZE])])?;
        graph.add_initializer("b", filled(weight)?, false)?;
        graph.add_node(Node::new(
            self.operator,
            ONNX_DOMAIN,
            "product",
            ["a", "b"],
            ["y"],
            [],
        )?)?;
        let input = Tensor {
            name: "a".into(),
            data,
        };
        Ok((into_session(graph, session)?, vec![input]))
    }
}

fn centred(place: usize) -> f32 {
    (place % 251) as f32 / 251.0 - 0.5
}

/// The sum of two long vectors: two are read, one is written.
fn addition(session: Options<'_>, elements: usize) -> Ready {
    let mut graph = Graph::new()?;
    let vector = |name| outlet(name, TensorElementType::Float32, &[elements]);
    graph.set_inputs([vector("a"), vector("b")])?;
    graph.set_outputs([vector("y")])?;
    graph.add_node(Node::new("Add", ONNX_DOMAIN, "sum", ["a", "b"], ["y"], [])?)?;
    Ok((
        into_session(graph, session)?,
        vec![ones("a", elements), ones("b", elements)],
    ))
}

fn ones(name: &str, elements: usize) -> Tensor {
    Tensor {
        name: name.into(),
        data: TensorData::Float(ndarray::ArrayD::from_elem([elements].as_slice(), 1.0)),
    }
}

fn outlet(name: &str, ty: TensorElementType, dims: &[usize]) -> Outlet {
    Outlet::new(
        name,
        ValueType::Tensor {
            ty,
            shape: Shape::new(dims.iter().map(|&size| size as i64)),
            dimension_symbols: SymbolicDimensions::empty(dims.len()),
        },
    )
}

fn array<T: Clone>(dims: &[usize], value: impl Fn(usize) -> T) -> ndarray::ArrayD<T> {
    let mut place = 0;
    ndarray::ArrayD::from_shape_simple_fn(dims, || {
        place += 1;
        value(place - 1)
    })
}

/// A square matrix in memory that ONNX Runtime owns, as weights must be.
fn filled<T: PrimitiveTensorElementType + std::fmt::Debug>(
    value: impl Fn(usize) -> T,
) -> ort::Result<OrtTensor<T>> {
    let mut tensor = OrtTensor::<T>::new(&Allocator::default(), [SIZE, SIZE])?;
    let (_, elements) = tensor.extract_tensor_mut();
    elements
        .iter_mut()
        .enumerate()
        .for_each(|(place, element)| *element = value(place));
    Ok(tensor)
}

fn into_session(graph: Graph, session: Options<'_>) -> ort::Result<OrtSession> {
    let mut model = Model::new([Opset::new(ONNX_DOMAIN, OPSET)?])?;
    model.set_graph(graph)?;
    model.into_session(&session()?)
}
