//! Options that name a server, which is loaded beside a model or alone.

use std::path::Path;

use crate::cli::plan::Family;
use crate::cli::{CliError, Result, exit};
use crate::engine::{self, EngineError, ServedModel};
use crate::onnx;
use crate::plan::{
    Flag, ModelServer, RuntimeChoice, SERVER_PROVIDER, SessionOptions, SessionSpec, Variant,
};
use crate::record::Failure;
use crate::runner::FoundRuntime;

/// A server that has the model loaded.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// A model in a server that speaks the Open Inference Protocol over HTTP (Triton, KServe,
    /// MLServer, OpenVINO Model Server), such as `http://127.0.0.1:8000/v2/models/NAME`: loaded
    /// beside the model file, if one is named, with which it is compared.
    #[arg(long = Flag::Url.word(), value_name = "URL", conflicts_with_all = ["batcher", "sessions", "processes"])]
    pub url: Option<String>,
    /// Process of the server on this machine, whose CPU time, memory and open files are sampled.
    /// [default: they are not known]
    #[arg(long = Flag::ServerPid.word(), value_name = "PID", requires = "url")]
    pub server_pid: Option<u32>,
    /// Says that the server is yours to load although it is not on this machine.
    #[arg(long = Flag::OwnServer.word(), requires = "url")]
    pub i_own_this_server: bool,
}

impl ServerArgs {
    /// The server, whose address and process are there.
    pub fn server(&self) -> Result<Option<ModelServer>> {
        let Some(url) = &self.url else {
            return Ok(None);
        };
        let server = ModelServer {
            url: url.as_str().into(),
            pid: self.server_pid,
            is_owned: self.i_own_this_server,
        };
        engine::check_address(&server).map_err(of_engine)?;
        match self.server_pid {
            Some(pid) if !Path::new("/proc").join(pid.to_string()).exists() => {
                Err(CliError::bad_input(
                    format!(
                        "there is no process {pid}, which `{}` names",
                        Flag::ServerPid
                    ),
                    "name the process of the server, or leave it out: its memory is not known then",
                ))
            }
            _ => Ok(Some(server)),
        }
    }
}

/// A model that only its server has, for which a file of its inputs and outputs stands.
pub struct Remote {
    pub family: Family,
    pub interface: Vec<u8>,
}

/// Asks a server for its model.
pub fn remote(server: &ModelServer) -> Result<ServedModel> {
    engine::served_model(server).map_err(of_engine)
}

impl Remote {
    /// With a file at this path, which is to be written there.
    pub fn at(path: &Path, model: &ServedModel) -> Self {
        let note = format!(
            "`{}` is known by its server alone: `{}` holds its inputs and outputs, and nothing of \
             what it computes",
            model.name,
            path.display()
        );
        Remote {
            family: Family {
                name: model.name.clone(),
                variants: vec![Variant {
                    name: model.name.as_str().into(),
                    path: path.to_owned(),
                }],
                baseline: 0,
                named: Vec::new(),
                data: None,
                notes: vec![note],
            },
            interface: onnx::interface(&model.inputs, &model.outputs),
        }
    }
}

/// The server among the runtimes of a run.
pub fn found(server: ModelServer) -> FoundRuntime {
    FoundRuntime {
        choice: RuntimeChoice::Server(server),
        found_by: format!("given by {}", Flag::Url),
        release: None,
    }
}

/// A session of the only variant in a server.
pub fn session(server: &ModelServer) -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: RuntimeChoice::Server(server.clone()),
        execution_provider: SERVER_PROVIDER.into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    }
}

/// A server has one model.
pub fn require_one(family: &Family) -> Result<()> {
    match family.variants.len() {
        1 => Ok(()),
        count => Err(CliError::usage(
            format!(
                "`{}` names one model in a server, and {count} files are named",
                Flag::Url
            ),
            "name the file that the server has loaded alone",
        )),
    }
}

/// Without a model file nothing is measured but the server.
pub fn require_no_runtime(runtimes: &[String]) -> Result<()> {
    if runtimes.is_empty() {
        return Ok(());
    }
    Err(CliError::usage(
        format!(
            "`{}` has nothing to run: no model file is named",
            Flag::Runtime
        ),
        format!("name the model as well, or leave out `{}`", Flag::Runtime),
    ))
}

fn of_engine(error: EngineError) -> CliError {
    let is_of_words = matches!(error, EngineError::Address { .. });
    let failure = Failure::from(error);
    let hint = failure.hint.map(|hint| hint.exact().to_owned());
    let message = failure.message.exact().to_owned();
    let code = if is_of_words {
        exit::USAGE
    } else {
        exit::BAD_INPUT
    };
    CliError::message(code, message).advised(hint)
}
