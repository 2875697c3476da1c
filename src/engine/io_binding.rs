//! Inputs and outputs bound to a session, and what is timed.

use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use ort::AsPointer;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, RunOptions, Session as OrtSession};
use ort::sys::{OrtIoBinding, OrtRunOptions, OrtSession as RawSession, OrtStatusPtr, OrtValue};

use super::bound_outputs::{self, OutputPlaces};
use super::message::{bind_error, words};
use super::value::HeldSet;
use super::{EngineError, Inference, Result};
use crate::inputs::Tensor;
use crate::plan::Binding;
use crate::provider::Memory;

/// Where a session computes, and where its inputs and outputs are to lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoryPlace {
    pub memory: Memory,
    /// Index of the device.
    pub device: i32,
    pub binding: Binding,
    /// Whether the execution provider captures the kernels of an inference and replays them.
    pub captures: bool,
}

/// The run option by which captured graphs are told apart: another shape or address needs another
/// one.
const GRAPH: &str = "gpu_graph_id";

/// The graph of a run that neither captures nor replays.
pub(super) const NO_GRAPH: i32 = -1;

/// Options of the runs of one captured graph. ONNX Runtime keeps 0 for itself.
fn of_graph(number: i32) -> ort::Result<RunOptions> {
    let mut options = RunOptions::new()?;
    options.set(GRAPH, number.to_string())?;
    Ok(options)
}

/// Options of a run whose inputs lie wherever they lie, whether or not the session captures graphs
/// of other runs.
pub(super) fn without_graph() -> ort::Result<RunOptions> {
    of_graph(NO_GRAPH)
}

#[derive(Debug, Default)]
pub(super) struct GraphNumbers(AtomicI32);

impl GraphNumbers {
    pub(super) fn next(&self) -> i32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl MemoryPlace {
    pub(super) fn host() -> Self {
        MemoryPlace {
            memory: Memory::Host,
            device: 0,
            binding: Binding::Host,
            captures: false,
        }
    }

    /// The session's memory for tensors that stay where they are computed.
    pub(super) fn own_memory(self, allocator: AllocatorType) -> ort::Result<MemoryInfo<'static>> {
        match self.memory {
            Memory::Host => {
                MemoryInfo::new(AllocationDevice::CPU, 0, allocator, MemoryType::Default)
            }
            Memory::Cuda => MemoryInfo::new(
                AllocationDevice::CUDA,
                self.device,
                allocator,
                MemoryType::Default,
            ),
        }
    }

    fn outputs(self) -> ort::Result<MemoryInfo<'static>> {
        match self.binding {
            Binding::Host => host_outputs(),
            Binding::Device => self.own_memory(AllocatorType::Device),
        }
    }
}

pub(super) fn host_outputs() -> ort::Result<MemoryInfo<'static>> {
    MemoryInfo::new(
        AllocationDevice::CPU,
        0,
        AllocatorType::Device,
        MemoryType::CPUOutput,
    )
}

/// Binds each set of inputs to a session.
///
/// ONNX Runtime copies an input to the device when it is bound. Bound once, it is there for good:
/// that is the device binding, and on the CPU all that there is. For the host binding of another
/// device, inputs are bound in every run.
///
/// Where graphs are captured, only the first set is bound, to the graph of this number: a graph
/// reads from fixed addresses.
pub(super) fn bind<'s>(
    session: &'s OrtSession,
    place: MemoryPlace,
    graph: i32,
    sets: &[HeldSet],
) -> Result<Box<dyn Inference + 's>> {
    let options = place.captures.then(|| of_graph(graph)).transpose();
    let options = options.map_err(|error| bind_error("graph", &error))?;
    let sets = if place.captures {
        &sets[..sets.len().min(1)]
    } else {
        sets
    };
    let places = place
        .outputs()
        .and_then(|memory| Ok((memory, host_outputs()?)));
    let (memory, host) = places.map_err(|error| bind_error("outputs", &error))?;
    let outputs = OutputPlaces::new(session, memory, host);
    let sets = sets
        .iter()
        .map(|set| BoundSet::new(session, set, &outputs))
        .collect::<Result<Vec<_>, _>>()?;
    let turns = Turns {
        session,
        run: ort::api().RunWithBinding,
        options,
        sets,
        next: 0,
        outputs,
    };
    Ok(in_flight(turns, place))
}

fn in_flight(turns: Turns<'_>, place: MemoryPlace) -> Box<dyn Inference + '_> {
    match (place.memory, place.binding) {
        (Memory::Host, _) => Box::new(InFlight {
            turns,
            way: InPlace,
        }),
        (Memory::Cuda, Binding::Host) => Box::new(InFlight {
            turns,
            way: WithCopies {
                bind_input: ort::api().BindInput,
            },
        }),
        (Memory::Cuda, Binding::Device) => Box::new(InFlight {
            turns,
            way: OnDevice {
                synchronize: ort::api().SynchronizeBoundOutputs,
            },
        }),
    }
}

/// Runs a binding of a session.
#[inline]
pub(super) fn run_bound(
    session: &OrtSession,
    options: Option<&RunOptions>,
    binding: &IoBinding,
) -> Result<()> {
    let options = options.map_or(ptr::null(), AsPointer::ptr);
    // SAFETY: as in `Turns::run_set`.
    unsafe {
        done((ort::api().RunWithBinding)(
            session.ptr().cast_mut(),
            options,
            binding.ptr(),
        ))
    }
}

struct BoundSet {
    binding: IoBinding,
    inputs: HeldSet,
}

impl BoundSet {
    fn new(session: &OrtSession, set: &HeldSet, outputs: &OutputPlaces) -> Result<Self> {
        let mut binding = session
            .create_binding()
            .map_err(|error| bind_error("session", &error))?;
        for input in set.iter() {
            let name = input.name.to_string_lossy();
            binding
                .bind_input(&*name, input.value.value())
                .map_err(|error| bind_error(&name, &error))?;
        }
        outputs.bind(&mut binding)?;
        Ok(BoundSet {
            binding,
            inputs: HeldSet::clone(set),
        })
    }
}

struct Turns<'session> {
    session: &'session OrtSession,
    run: RunWithBinding,
    options: Option<RunOptions>,
    sets: Vec<BoundSet>,
    next: usize,
    outputs: OutputPlaces,
}

/// The C API's functions that are timed, looked up once.
type RunWithBinding = unsafe extern "system" fn(
    *mut RawSession,
    *const OrtRunOptions,
    *const OrtIoBinding,
) -> OrtStatusPtr;
type BindInput = unsafe extern "system" fn(
    *mut OrtIoBinding,
    *const std::ffi::c_char,
    *const OrtValue,
) -> OrtStatusPtr;
type Synchronize = unsafe extern "system" fn(*mut OrtIoBinding) -> OrtStatusPtr;

impl Turns<'_> {
    #[inline]
    fn take_turn(&mut self) -> usize {
        let turn = self.next;
        self.next += 1;
        if self.next == self.sets.len() {
            self.next = 0;
        }
        turn
    }

    /// The set that ran last.
    fn last(&self) -> usize {
        self.next.checked_sub(1).unwrap_or(self.sets.len() - 1)
    }

    #[inline]
    fn run_set(&self, turn: usize) -> Result<()> {
        let options = self.options.as_ref().map_or(ptr::null(), AsPointer::ptr);
        // SAFETY: session, options and binding are alive, and the binding is of this session. `ort`
        // wants the session to itself for this call; ONNX Runtime's own contract is that `Run` may
        // be called by several threads at once on one session of the CPU or CUDA provider, each
        // with a binding of its own, which is how servers use it.
        unsafe {
            let status = (self.run)(
                self.session.ptr().cast_mut(),
                options,
                self.sets[turn].binding.ptr(),
            );
            done(status)
        }
    }
}

struct InFlight<'session, W> {
    turns: Turns<'session>,
    way: W,
}

impl<W: Way> Inference for InFlight<'_, W> {
    #[inline]
    fn run(&mut self) -> Result<()> {
        self.way.run(&mut self.turns)
    }

    fn bind_outputs(&mut self) -> Result<()> {
        if self.keeps_outputs() {
            return Ok(());
        }
        let turns = &mut self.turns;
        turns.outputs.bind(&mut turns.sets[turns.next].binding)
    }

    #[inline]
    fn choose(&mut self, set: usize) {
        self.turns.next = set;
    }

    fn outputs(&self) -> Vec<Tensor> {
        if !W::HOST_OUTPUTS {
            return Vec::new();
        }
        let turns = &self.turns;
        bound_outputs::tensors(turns.session, &turns.sets[turns.last()].binding)
    }

    /// A captured graph writes to fixed addresses.
    fn keeps_outputs(&self) -> bool {
        self.turns.options.is_some()
    }

    fn undeclared_output(&self) -> Option<String> {
        let turns = &self.turns;
        bound_outputs::undeclared(turns.session, &turns.sets[turns.last()].binding)
    }
}

/// The parts of an inference that are timed besides the run itself.
trait Way: Send {
    /// Whether outputs come back to the host.
    const HOST_OUTPUTS: bool = true;

    fn run(&self, turns: &mut Turns<'_>) -> Result<()>;
}

/// Nothing.
struct InPlace;

impl Way for InPlace {
    #[inline]
    fn run(&self, turns: &mut Turns<'_>) -> Result<()> {
        let turn = turns.take_turn();
        turns.run_set(turn)
    }
}

/// Inputs are copied to the device before each run; outputs come back to the host by the end of it.
struct WithCopies {
    bind_input: BindInput,
}

impl Way for WithCopies {
    #[inline]
    fn run(&self, turns: &mut Turns<'_>) -> Result<()> {
        let turn = turns.take_turn();
        let set = &mut turns.sets[turn];
        let binding = set.binding.ptr_mut();
        for input in set.inputs.iter() {
            // SAFETY: binding, name and value are alive, and the binding is used by this thread
            // alone.
            unsafe {
                done((self.bind_input)(
                    binding,
                    input.name.as_ptr(),
                    input.value.value().ptr(),
                ))
            }?;
        }
        turns.run_set(turn)
    }
}

/// Inputs and outputs stay on the device; a run is over when the device is done.
struct OnDevice {
    synchronize: Synchronize,
}

impl Way for OnDevice {
    const HOST_OUTPUTS: bool = false;

    #[inline]
    fn run(&self, turns: &mut Turns<'_>) -> Result<()> {
        let turn = turns.take_turn();
        turns.run_set(turn)?;
        // SAFETY: the binding is alive, and used by this thread alone.
        unsafe { done((self.synchronize)(turns.sets[turn].binding.ptr_mut())) }
    }
}

/// # Safety
/// `status` comes from ONNX Runtime and is used once.
#[inline]
unsafe fn done(status: OrtStatusPtr) -> Result<()> {
    if status.0.is_null() {
        return Ok(());
    }
    // SAFETY: as the caller promises.
    Err(unsafe { run_error(status) })
}

/// Not inlined, so that the way without an error stays short.
///
/// # Safety
/// `status` comes from ONNX Runtime and is used once.
#[cold]
unsafe fn run_error(status: OrtStatusPtr) -> EngineError {
    // SAFETY: as the caller promises.
    let result = unsafe { ort::Error::result_from_status(status) };
    EngineError::Run {
        message: result
            .err()
            .map(|error| words(error.message()))
            .unwrap_or_default(),
    }
}
