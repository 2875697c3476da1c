//! A model in a server that speaks the Open Inference Protocol, version 2, over HTTP: a session is a
//! model that the server has loaded, an inference one request and its answer.
//!
//! Requests go to the address that the user named and nowhere else: redirects are not followed, no
//! proxy is used, and a name is resolved once. Bodies are encoded before they are sent and decoded
//! when outputs are asked for, so that the time of an inference is that of the exchange. Each
//! request in flight has a connection of its own, which is kept. Read [`ServerRuntime`] first.

mod address;
mod answer;
mod client;
mod datatype;
mod metadata;
mod patience;
mod request;
mod session;
#[cfg(test)]
mod tests;
mod trouble;

use std::path::Path;
use std::sync::Arc;

use super::{
    EngineError, LogCounts, ProfileTarget, Result, Runtime, ServerStep, Session, SessionProfile,
};
use crate::inputs::InputSet;
use crate::measure::EngineClock;
use crate::observed::Observed;
use crate::plan::{ModelServer, SERVER_PROVIDER, SessionOptions, SessionSpec};
use crate::record::{PeakRates, TensorInfo};
use crate::runtime::LibraryInfo;
use crate::units::{Bytes, Nanos};
use address::Address;
use client::Client;
use metadata::{ModelMetadata, ServerMetadata};
use patience::Patience;
use request::Encoding;
use session::ServerSession;

/// A server, as it described itself.
#[derive(Debug)]
pub struct ServerRuntime {
    address: Arc<Address>,
    patience: Patience,
    info: LibraryInfo,
    encoding: Encoding,
}

impl ServerRuntime {
    /// Asks a server what it is.
    ///
    /// # Errors
    /// [`EngineError::Address`] if the address is none of a model in a server, or leads to another
    /// machine that the user did not say to be theirs; [`EngineError::Server`] if the server does
    /// not answer, or says something else.
    pub fn open(server: &ModelServer) -> Result<Self> {
        Self::open_within(server, Patience::USUAL)
    }

    fn open_within(server: &ModelServer, patience: Patience) -> Result<Self> {
        let address = Arc::new(Address::resolve(server)?);
        let client = Client::new(&address, patience);
        let url = address.server();
        let told = client
            .get(&url)
            .and_then(|answer| ServerMetadata::read(&answer))
            .map_err(|trouble| trouble.at(ServerStep::Open, &url))?;
        let encoding = told.encoding();
        Ok(ServerRuntime {
            info: LibraryInfo {
                version: told.name_and_version(),
                build_info: told.abilities(encoding),
                execution_providers: vec![SERVER_PROVIDER.to_owned()],
            },
            address,
            patience,
            encoding,
        })
    }

    /// The model's inputs and outputs, once it is ready.
    fn model(&self, client: &Client) -> Result<ModelMetadata> {
        let ready = self.address.ready();
        client
            .get(&ready)
            .and_then(|answer| metadata::require_ready(&answer))
            .map_err(|trouble| trouble.at(ServerStep::Load, &ready))?;
        let url = self.address.model();
        client
            .get(&url)
            .and_then(|answer| ModelMetadata::read(&answer))
            .map_err(|trouble| trouble.at(ServerStep::Load, &url))
    }
}

/// Checks an address without sending anything to it.
///
/// # Errors
/// [`EngineError::Address`], as [`ServerRuntime::open`].
pub fn check_address(server: &ModelServer) -> Result<()> {
    Address::resolve(server).map(|_| ())
}

/// A model as its server describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedModel {
    /// Its name, by which the address names it.
    pub name: String,
    /// Inputs.
    pub inputs: Vec<TensorInfo>,
    /// Outputs.
    pub outputs: Vec<TensorInfo>,
}

/// Asks a server for the inputs and outputs of its model.
///
/// # Errors
/// Those of [`ServerRuntime::open`]; [`EngineError::Server`] if the model is not there, is not
/// ready, or has no inputs or outputs that the server tells.
pub fn served_model(server: &ModelServer) -> Result<ServedModel> {
    let runtime = ServerRuntime::open(server)?;
    let client = Client::new(&runtime.address, runtime.patience);
    let told = runtime.model(&client)?;
    let url = runtime.address.model();
    told.interface()
        .map(|(inputs, outputs)| ServedModel {
            name: runtime.address.model_name().to_owned(),
            inputs,
            outputs,
        })
        .map_err(|trouble| trouble.at(ServerStep::Load, &url))
}

impl Runtime for ServerRuntime {
    fn info(&self) -> &LibraryInfo {
        &self.info
    }

    fn clock(&self) -> EngineClock {
        EngineClock::Monotonic
    }

    fn register_library(&mut self, _name: &str, path: &Path) -> Result<()> {
        Err(EngineError::EpLibrary {
            path: path.to_owned(),
            message: "a server takes no libraries".into(),
        })
    }

    /// The model file is not read: the server has the model.
    fn load(&self, _model: &Path, _spec: &SessionSpec) -> Result<Box<dyn Session>> {
        let client = Client::new(&self.address, self.patience);
        let told = self.model(&client)?;
        Ok(Box::new(ServerSession {
            address: Arc::clone(&self.address),
            patience: self.patience,
            encoding: self.encoding,
            input_names: told.input_names(),
            output_names: told.output_names(),
            client,
        }))
    }

    fn profile(
        &self,
        _model: &Path,
        _spec: &SessionSpec,
        _inputs: InputSet,
        _target: &ProfileTarget,
    ) -> Result<SessionProfile> {
        Err(EngineError::Profile(
            "a server does not tell of its nodes".into(),
        ))
    }

    fn peaks(&self, _: &SessionOptions, _: Nanos, _: Observed<Bytes>) -> PeakRates {
        PeakRates {
            fp32_flops_per_sec: absent(),
            int8_ops_per_sec: absent(),
            memory_bytes_per_sec: absent(),
        }
    }

    fn log_counts(&self) -> LogCounts {
        LogCounts::default()
    }
}

fn absent<T>() -> Observed<T> {
    Err("a server computes elsewhere".into())
}
