//! A model in a server, and requests to it.

use std::sync::Arc;

use super::address::Address;
use super::answer::Answer;
use super::client::Client;
use super::patience::Patience;
use super::request::{EncodedRequest, Encoding};
use super::trouble::Trouble;
use crate::engine::{
    Effect, EngineError, Inference, Result, ServedInference, ServedInputs, ServerStep, Session,
};
use crate::inputs::{Argument, InputSet, Tensor};
use crate::observed::Observed;
use crate::plan::SERVER_PROVIDER;
use crate::record::{ArenaStats, Exchanged};

#[derive(Debug)]
pub(super) struct ServerSession {
    pub(super) address: Arc<Address>,
    pub(super) patience: Patience,
    pub(super) encoding: Encoding,
    /// As the server tells them; none where it tells none.
    pub(super) input_names: Vec<String>,
    pub(super) output_names: Vec<String>,
    pub(super) client: Client,
}

impl ServerSession {
    fn encode(&self, sets: &[InputSet]) -> Result<Arc<[EncodedRequest]>> {
        sets.iter().map(|set| self.encoded(set)).collect()
    }

    fn encoded(&self, inputs: &[Argument]) -> Result<EncodedRequest> {
        EncodedRequest::of(inputs, &self.input_names, self.encoding)
    }

    fn request(&self, bodies: &Arc<[EncodedRequest]>) -> Exchange<'_> {
        Exchange {
            session: self,
            client: Client::new(&self.address, self.patience),
            bodies: Arc::clone(bodies),
            next: 0,
            answer: Answer::default(),
            exchanged: Exchanged::default(),
        }
    }

    fn failed(&self, trouble: Trouble) -> EngineError {
        trouble.at(ServerStep::Infer, &self.address.infer())
    }
}

impl Session for ServerSession {
    fn effect(&self) -> Effect {
        Effect {
            execution_providers: vec![SERVER_PROVIDER.to_owned()],
            ..Effect::default()
        }
    }

    fn bind(&self, sets: Vec<InputSet>, requests: u64) -> Result<Vec<Box<dyn Inference + '_>>> {
        let bodies = self.encode(&sets)?;
        Ok((0..requests)
            .map(|_| Box::new(self.request(&bodies)) as Box<dyn Inference>)
            .collect())
    }

    fn serve(
        &self,
        inputs: &ServedInputs,
        callers: u64,
    ) -> Result<Vec<Box<dyn ServedInference + '_>>> {
        if !inputs.batches.is_empty() {
            return Err(EngineError::Bind {
                name: "batches".into(),
                message: "requests to a server are not gathered here: it may do so itself".into(),
            });
        }
        let bodies = self.encode(&inputs.samples)?;
        (0..callers)
            .map(|_| {
                let mut exchange = self.request(&bodies);
                // The connection is there before the first request arrives.
                exchange.send(0)?;
                Ok(Box::new(exchange) as Box<dyn ServedInference>)
            })
            .collect()
    }

    fn evaluate(&mut self, inputs: &[Argument]) -> Result<Vec<Tensor>> {
        let request = self.encoded(inputs)?;
        let mut answer = Answer::default();
        answer.header_length = self
            .client
            .infer(&request, &mut answer.body)
            .map_err(|trouble| self.failed(trouble))?;
        answer
            .outputs(&self.output_names)
            .map_err(|trouble| self.failed(trouble))
    }

    fn arena(&self) -> Observed<ArenaStats> {
        Err("a server does not tell of its arena".into())
    }
}

/// One request in flight, with a connection of its own.
struct Exchange<'s> {
    session: &'s ServerSession,
    client: Client,
    bodies: Arc<[EncodedRequest]>,
    next: usize,
    answer: Answer,
    exchanged: Exchanged,
}

impl Exchange<'_> {
    fn send(&mut self, place: usize) -> Result<()> {
        let Some(body) = self.bodies.get(place) else {
            return Err(EngineError::Bind {
                name: "inputs".into(),
                message: "nothing is to be sent".into(),
            });
        };
        self.exchanged.sent_bytes.0 += body.body.len() as u64;
        let exchanged = self.client.infer(body, &mut self.answer.body);
        self.exchanged.received_bytes.0 += self.answer.body.len() as u64;
        let checked = exchanged.and_then(|header_length| {
            self.answer.header_length = header_length;
            self.answer.require_outputs()
        });
        checked.map_err(|trouble| self.session.failed(trouble))
    }

    /// None where the answer cannot be decoded, which is then like no other.
    fn decoded(&self) -> Vec<Tensor> {
        self.answer
            .outputs(&self.session.output_names)
            .unwrap_or_default()
    }
}

impl Inference for Exchange<'_> {
    fn run(&mut self) -> Result<()> {
        let place = self.next;
        self.next = (self.next + 1) % self.bodies.len().max(1);
        self.send(place)
    }

    fn choose(&mut self, set: usize) {
        self.next = set;
    }

    fn outputs(&self) -> Vec<Tensor> {
        self.decoded()
    }

    fn keeps_outputs(&self) -> bool {
        true
    }
}

impl ServedInference for Exchange<'_> {
    fn run(&mut self, samples: &[usize]) -> Result<()> {
        samples.iter().try_for_each(|&sample| self.send(sample))
    }

    fn outputs(&self, _place: usize) -> Vec<Tensor> {
        self.decoded()
    }

    fn exchanged(&self) -> Exchanged {
        self.exchanged
    }
}
