//! The child side: one process, one session, one command at a time, read from stdin and answered on
//! stdout.
//!
//! The nested loops mirror the protocol: `serve` until a session is loaded, `serve_session` until a
//! cell begins, `cell::serve` until it ends. The worker measures on plain threads and ends when its
//! stdin closes.

mod cell;
mod describe;
mod evaluate;
mod lines;
mod probe;
mod room;
mod serve;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, signal};

use crate::engine::{self, Distortion, ProfileTarget, Runtime, Session};
use crate::inputs::{self, Argument};
use crate::measure::{Clock, MonotonicClock};
use crate::memory;
use crate::plan::{RuntimeChoice, SessionSpec};
use crate::protocol::{PeaksRequest, ProfileRequest, Request, Response, VERSION};
use crate::record::Failure;
use crate::units::Bytes;
use lines::{Lines, out_of_turn};
use probe::{Probe, Ran};
use serve::Sessions;

/// Serves one parent process until it closes the pipe.
pub fn main() -> ExitCode {
    match outlive_interrupts()
        .and_then(|()| Lines::take_over_stdio())
        .and_then(serve)
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There may be nobody left to read it.
            let _ = writeln!(
                std::io::stderr(),
                "error: lost the process that started this one: {error}"
            );
            ExitCode::FAILURE
        }
    }
}

/// Signals to the whole group are the parent's to handle; the worker goes when the parent goes.
fn outlive_interrupts() -> std::io::Result<()> {
    for signal_kind in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: ignoring a signal installs no handler that could run.
        unsafe { signal(signal_kind, SigHandler::SigIgn) }?;
    }
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(())
}

fn serve(mut lines: Lines) -> std::io::Result<()> {
    lines.send(&Response::Hello {
        protocol: VERSION,
        tool_version: env!("CARGO_PKG_VERSION").into(),
    })?;
    let mut runtime: Option<Box<dyn Runtime>> = None;
    while let Some(request) = lines.next()? {
        match (request, &runtime) {
            (
                Request::Describe {
                    model,
                    inputs,
                    shapes,
                },
                _,
            ) => {
                lines.answer(describe::describe(&model, &inputs, &shapes))?;
            }
            (
                Request::Open {
                    runtime: choice,
                    execution_provider,
                    ep_library,
                },
                None,
            ) => {
                let opened = open(&choice, &execution_provider, ep_library.as_deref());
                lines.answer(opened.map(|(opened, response)| {
                    runtime = Some(opened);
                    response
                }))?;
            }
            (Request::Profile(request), Some(runtime)) => {
                lines.answer(profile(runtime.as_ref(), &request))?
            }
            (Request::Peaks(request), Some(runtime)) => {
                lines.send(&peaks(runtime.as_ref(), *request))?;
            }
            (Request::Load { model, spec }, Some(runtime)) => {
                let before = memory::taken();
                match load(runtime.as_ref(), &model, &spec) {
                    Ok((session, response)) => {
                        lines.send(&response)?;
                        let loaded = Loaded {
                            taken: room::taken_since(before),
                            session,
                        };
                        return serve_session(&mut lines, runtime.as_ref(), loaded);
                    }
                    Err(error) => lines.send(&Response::Failed(error.into()))?,
                }
            }
            _ => lines.send(&out_of_turn())?,
        }
    }
    Ok(())
}

struct Loaded {
    session: Box<dyn Session>,
    /// Memory that it took to load it; absent where the system does not tell.
    taken: Option<Bytes>,
}

fn serve_session(
    lines: &mut Lines,
    runtime: &dyn Runtime,
    Loaded { mut session, taken }: Loaded,
) -> std::io::Result<()> {
    let mut probe = None;
    let mut ran: Option<Ran> = None;
    let mut further = Vec::new();
    while let Some(request) = lines.next()? {
        match request {
            Request::Probe(request) => {
                let begun = Probe::begin(session.as_mut(), &request);
                lines.answer(begun.map(|begun| tried(probe.insert(begun))))?;
            }
            Request::Prove { limit_ns } => match probe.take() {
                Some(mut probe) => {
                    probe.prove(session.as_mut(), limit_ns);
                    lines.send(&tried(&probe))?;
                    ran = Some(probe.into_ran());
                }
                None => lines.send(&out_of_turn())?,
            },
            Request::Begin(cell) => {
                // Nobody asks for it any more, and it may be large.
                ran = None;
                cell::serve(lines, runtime, session.as_ref(), &cell)?;
            }
            Request::Serve(request) => {
                let sessions = Sessions {
                    runtime,
                    first: session.as_ref(),
                    taken,
                    further: &mut further,
                };
                lines.answer(serve::serve(sessions, &request))?;
            }
            Request::Couple(request) => {
                lines.send(&Response::Coupled(probe::coupling(
                    session.as_mut(),
                    &request,
                )))?;
            }
            Request::Evaluate(evaluation) => {
                lines.answer(evaluate::evaluate(session.as_mut(), &evaluation))?;
            }
            Request::Rehearse(evaluation) => {
                let known = |inputs: &[Argument]| ran.as_ref()?.outputs_of(inputs);
                lines.answer(evaluate::rehearse(known, &evaluation))?;
            }
            _ => lines.send(&out_of_turn())?,
        }
    }
    Ok(())
}

fn tried(probe: &Probe) -> Response {
    Response::Tried(Box::new(probe.tried()))
}

fn open(
    choice: &RuntimeChoice,
    execution_provider: &str,
    ep_library: Option<&Path>,
) -> engine::Result<(Box<dyn Runtime>, Response)> {
    let start = MonotonicClock.now();
    let mut opened = engine::open(choice)?;
    match ep_library {
        Some(path) => opened.register_library(execution_provider, path)?,
        None => engine::require_provider(opened.info(), execution_provider)?,
    }
    let runtime_start_ns = MonotonicClock.now().since(start);
    let info = opened.info().clone();
    let response = Response::Opened {
        runtime_start_ns,
        version: info.version,
        build_info: info.build_info,
        execution_providers: info.execution_providers,
    };
    Ok((opened, response))
}

fn load(
    runtime: &dyn Runtime,
    model: &Path,
    spec: &SessionSpec,
) -> engine::Result<(Box<dyn Session>, Response)> {
    let clock = runtime.clock();
    let start = clock.now();
    let session = runtime.load(model, spec)?;
    let session_load_ns = clock.now().since(start);
    let effect = session.effect();
    let response = Response::Loaded {
        session_load_ns,
        session_config: effect.config_entries,
        execution_providers: effect.execution_providers,
        provider_options: effect.provider_options,
    };
    Ok((session, response))
}

fn peaks(runtime: &dyn Runtime, request: PeaksRequest) -> Response {
    Response::Peaks(Box::new(runtime.peaks(
        &request.options,
        request.length_ns,
        request.tensor_bytes,
    )))
}

fn profile(runtime: &dyn Runtime, request: &ProfileRequest) -> Result<Response, Failure> {
    let set = inputs::materialize(&request.inputs, request.batch_size)?
        .into_iter()
        .next()
        .unwrap_or_default();
    let profile = runtime.profile(&request.model, &request.spec, set, &profile_target(request))?;
    Ok(Response::Profiled {
        placement: Box::new(profile.placement),
        operators: Box::new(profile.operators),
    })
}

fn profile_target(request: &ProfileRequest) -> ProfileTarget {
    ProfileTarget {
        trace_file: request.trace_file.clone(),
        scratch: request.scratch.clone(),
        max_inferences: request.max_inferences,
        length: request.length_ns,
        distortion: if request.has_twin {
            Distortion::Measured
        } else {
            Distortion::Unknown
        },
    }
}
