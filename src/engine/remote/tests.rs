//! Against a small server of this file, which answers as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ndarray::{ArrayD, IxDyn};

use super::*;
use crate::engine::ServedInputs;
use crate::inputs::{Argument, TensorData, Value};
use crate::record::{Failure, FailureKind};

/// How a request is answered.
#[derive(Clone)]
enum Reply {
    /// Status line and body.
    Says(&'static str, String),
    /// Further headers, and body.
    With(&'static str, Vec<u8>),
    /// Bytes as they are, after which the connection is closed.
    Raw(&'static str),
    /// Nothing until the client has gone.
    Hangs,
}

type Answers = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

struct Server {
    url: String,
    /// Request lines with the bodies, in the order in which they came.
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<u64>>,
}

impl Server {
    fn start(answers: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v2/models/m", listener.local_addr().unwrap());
        let server = Server {
            url,
            asked: Arc::default(),
            connections: Arc::default(),
        };
        let (asked, connections) = (Arc::clone(&server.asked), Arc::clone(&server.connections));
        let answers: Answers = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
                *connections.lock().unwrap() += 1;
                thread::spawn(move || converse(stream.unwrap(), &asked, &answers));
            }
        });
        server
    }

    fn model(&self) -> ModelServer {
        ModelServer {
            url: self.url.as_str().into(),
            pid: None,
            is_owned: false,
        }
    }

    fn open(&self) -> Result<ServerRuntime> {
        ServerRuntime::open_within(&self.model(), PATIENCE)
    }

    fn load(&self) -> Result<Box<dyn Session>> {
        self.open()?.load(Path::new("unread.onnx"), &spec(self))
    }

    fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|text| text.lines().next().unwrap().to_owned())
            .collect()
    }
}

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(2),
    read: Duration::from_millis(300),
    whole: Duration::from_millis(600),
};

fn spec(server: &Server) -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: crate::plan::RuntimeChoice::Server(server.model()),
        execution_provider: SERVER_PROVIDER.into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    }
}

fn converse(mut stream: TcpStream, asked: &Mutex<Vec<String>>, answers: &Answers) {
    while let Some(request) = request_of(&mut stream) {
        asked.lock().unwrap().push(request.clone());
        let line = request.lines().next().unwrap_or_default();
        let bytes = match answers(line) {
            Reply::Says(status, body) => whole(status, "", body.as_bytes()),
            Reply::With(headers, body) => whole("200 OK", headers, &body),
            Reply::Raw(text) => {
                let _ = stream.write_all(text.as_bytes());
                return;
            }
            Reply::Hangs => {
                let _ = stream.read(&mut [0]);
                return;
            }
        };
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Head and body; `None` where the client has gone.
fn request_of(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let head = loop {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        read.push(byte[0]);
        if read.ends_with(b"\r\n\r\n") {
            break String::from_utf8_lossy(&read).into_owned();
        }
    };
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

const METADATA: &str = r#"{"name":"small","version":"1.2","extensions":[]}"#;
const MODEL: &str = r#"{"name":"m","platform":"","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],
    "outputs":[{"name":"y","datatype":"INT64","shape":[-1]}]}"#;
const OUTPUTS: &str =
    r#"{"model_name":"m","outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[7]}]}"#;

fn ok(body: &str) -> Reply {
    Reply::Says("200 OK", body.to_owned())
}

/// A server in order, but for what is answered to an inference.
fn infers(answer: Reply) -> impl Fn(&str) -> Reply + Send + Sync + 'static {
    move |line| match line {
        "GET /v2 HTTP/1.1" => ok(METADATA),
        "GET /v2/models/m HTTP/1.1" => ok(MODEL),
        "GET /v2/models/m/ready HTTP/1.1" => ok(""),
        "POST /v2/models/m/infer HTTP/1.1" => answer.clone(),
        other => panic!("{other}"),
    }
}

fn input() -> InputSet {
    vec![Argument {
        name: "x".into(),
        value: Value::Tensor(TensorData::Float(ArrayD::zeros(IxDyn(&[1, 2])))),
    }]
}

fn inferred(answer: Reply) -> Result<Vec<crate::inputs::Tensor>> {
    let server = Server::start(infers(answer));
    server.load()?.evaluate(&input())
}

#[test]
fn a_model_is_found_bound_and_run_over_one_connection() {
    let server = Server::start(infers(ok(OUTPUTS)));
    let runtime = server.open().unwrap();
    assert_eq!(runtime.info().version, "small 1.2");
    assert_eq!(runtime.info().execution_providers, ["server"]);
    let mut session = runtime
        .load(Path::new("unread.onnx"), &spec(&server))
        .unwrap();
    let outputs = session.evaluate(&input()).unwrap();
    assert_eq!(outputs[0].name, "y");
    assert_eq!(
        outputs[0].data,
        TensorData::Int64(ArrayD::from_elem(IxDyn(&[1]), 7))
    );
    let before = *server.connections.lock().unwrap();
    let mut bound = session.bind(vec![input()], 2).unwrap();
    for _ in 0..3 {
        bound[0].run().unwrap();
    }
    assert_eq!(bound[0].outputs(), outputs);
    assert_eq!(*server.connections.lock().unwrap(), before + 1);
    drop(bound);
    let inputs = ServedInputs {
        samples: vec![input(), input()],
        ..ServedInputs::default()
    };
    let mut callers = session.serve(&inputs, 1).unwrap();
    callers[0].run(&[1]).unwrap();
    assert_eq!(callers[0].outputs(0), outputs);
    let body = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[0.0,0.0]}]}"#;
    let exchanged = callers[0].exchanged();
    assert_eq!(exchanged.sent_bytes.0, 2 * body.len() as u64);
    assert_eq!(exchanged.received_bytes.0, 2 * OUTPUTS.len() as u64);
    assert!(server.asked.lock().unwrap().last().unwrap().ends_with(body));
}

#[test]
fn tensors_are_sent_as_bytes_where_the_server_lists_that() {
    let head = r#"{"outputs":[{"name":"y","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}}]}"#;
    let body = [head.as_bytes(), &7_i64.to_le_bytes()].concat();
    assert_eq!(head.len(), 93);
    let server = Server::start(move |line| match line {
        "GET /v2 HTTP/1.1" => ok(r#"{"name":"triton","version":"2.4.0",
            "extensions":["classification","binary_tensor_data"]}"#),
        "POST /v2/models/m/infer HTTP/1.1" => {
            Reply::With("Inference-Header-Content-Length: 93\r\n", body.clone())
        }
        _ => infers(ok(""))(line),
    });
    let mut session = server.load().unwrap();
    let outputs = session.evaluate(&input()).unwrap();
    assert_eq!(
        outputs[0].data,
        TensorData::Int64(ArrayD::from_elem(IxDyn(&[1]), 7))
    );
    let asked = server.asked.lock().unwrap();
    let last = asked.last().unwrap().to_lowercase();
    assert!(last.contains("inference-header-content-length: "), "{last}");
    assert!(last.contains(r#""binary_data_size":8"#), "{last}");
}

/// Answers as the servers give them: the protocol's form of Triton, MLServer, KServe and OpenVINO
/// Model Server, and FastAPI's, Express's and a proxy's before them.
#[test]
fn errors_of_servers_are_told_in_their_own_words() {
    const TRITON: &str = r#"{"error":"[request id: <id_unknown>] unexpected shape for input 'x' for model 'm'. Expected [-1,3], got [1,2]"}"#;
    for (status, body, said) in [
        ("400 Bad Request", TRITON, "Expected [-1,3], got [1,2]"),
        (
            "503 Service Unavailable",
            r#"{"error":"Model with name m is not ready."}"#,
            "answered 503 Service Unavailable: Model with name m is not ready.",
        ),
        (
            "404 Not Found",
            r#"{"error":"Model with requested name is not found"}"#,
            "answered 404 Not Found: Model with requested name is not found",
        ),
        (
            "422 Unprocessable Entity",
            r#"{"detail":[{"loc":["body","inputs"],"msg":"field required"}]}"#,
            "answered 422 Unprocessable Entity: field required",
        ),
        (
            "500 Internal Server Error",
            r#"{"error":"RuntimeError: bad alloc"}"#,
            "500 Internal Server Error: RuntimeError: bad alloc",
        ),
        (
            "404 Not Found",
            "<html><body><pre>Cannot POST /v2</pre></body></html>",
            "answered 404 Not Found: Cannot POST /v2",
        ),
        (
            "500 Internal Server Error",
            "Traceback (most recent call last):\n  File \"served.py\", line 15, in predict\n\
             ValueError: cannot reshape array of size 2 into shape (1,1,8,8)\n",
            "Error: ValueError: cannot reshape array of size 2 into shape (1,1,8,8)",
        ),
        ("502 Bad Gateway", "", "answered 502 Bad Gateway"),
    ] {
        let error = inferred(Reply::Says(status, body.to_owned())).unwrap_err();
        let words = error.to_string();
        assert!(words.contains(said), "{status}: {words}");
        assert!(words.starts_with("inference failed: the server at `http://127.0.0.1:"));
        assert_eq!(Failure::from(error).kind, FailureKind::Inference);
    }
}

#[test]
fn answers_that_are_slow_half_or_wrong_are_told_apart() {
    let raw = |text: &'static str| Reply::Raw(text);
    for (reply, said) in [
        (Reply::Hangs, "did not answer within"),
        (raw(""), "closed the connection"),
        (
            raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"outputs\":["),
            "closed the connection before its answer was whole",
        ),
        (raw("SSH-2.0-OpenSSH_9.6\r\n"), "does not speak HTTP"),
        (ok("ready"), "something else than outputs: ready"),
        (ok(""), "answered with nothing, not with outputs"),
        (
            ok(r#"{"error":"half an error"}"#),
            "something else than outputs: half an error",
        ),
        (ok(r#"{"outputs":[{"name":"y","#), "JSON that is cut off"),
        (
            ok(&OUTPUTS.replace("\"y\"", "\"z\"")),
            "without the output `y` that it named; it has z",
        ),
        (
            ok(&OUTPUTS.replace("[1]", "[3]")),
            "data of `y` that are not INT64 of shape [3]",
        ),
        (ok(&OUTPUTS.replace("[7]", "[\"7\"]")), "are not INT64"),
        (ok(&OUTPUTS.replace("INT64", "INT65")), "`INT65`"),
        (
            Reply::With("Inference-Header-Content-Length: 9999\r\n", b"{}".to_vec()),
            "binary data, and not where they begin",
        ),
    ] {
        let words = inferred(reply).unwrap_err().to_string();
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[test]
fn redirects_are_told_and_not_followed() {
    let other = Server::start(infers(ok(OUTPUTS)));
    let to: &'static str = format!("location: {}/infer\r\n", other.url).leak();
    let server = Server::start(move |line| match line {
        "POST /v2/models/m/infer HTTP/1.1" => Reply::Raw(
            format!("HTTP/1.1 307 Temporary Redirect\r\n{to}content-length: 0\r\n\r\n").leak(),
        ),
        _ => infers(ok(""))(line),
    });
    let words = server.load().unwrap().evaluate(&input()).unwrap_err();
    assert!(
        words.to_string().contains("which is not followed"),
        "{words}"
    );
    assert!(other.lines().is_empty());
}

#[test]
fn a_server_that_is_not_there_or_is_none_is_told_before_anything_is_measured() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = ModelServer {
        url: format!("http://{gone}/v2/models/m").as_str().into(),
        pid: None,
        is_owned: false,
    };
    let refused = Failure::from(ServerRuntime::open(&server).unwrap_err());
    assert!(refused.message.exact().contains("nothing listens there"));
    assert!(refused.hint.unwrap().exact().contains("start the server"));
    for (reply, said) in [
        (
            ok("hello"),
            "something else than a server's metadata: hello",
        ),
        (
            Reply::Says("404 Not Found", r#"{"detail":"Not Found"}"#.into()),
            "answered 404 Not Found: Not Found",
        ),
        (Reply::Hangs, "did not answer within"),
    ] {
        let server = Server::start(move |_| reply.clone());
        let words = server.open().unwrap_err().to_string();
        assert!(words.contains(said), "{words}");
        assert!(words.starts_with("failed to reach a server"), "{words}");
    }
}

#[test]
fn a_model_that_is_not_there_or_not_ready_is_told_when_it_is_loaded() {
    for (path, reply, said) in [
        (
            "GET /v2/models/m/ready HTTP/1.1",
            Reply::Says("404 Not Found", r#"{"error":"Model m not found"}"#.into()),
            "answered 404 Not Found: Model m not found",
        ),
        (
            "GET /v2/models/m/ready HTTP/1.1",
            ok(r#"{"name":"m","ready":false}"#),
            "says that the model is not ready",
        ),
        (
            "GET /v2/models/m HTTP/1.1",
            ok("[]"),
            "something else than a model's metadata",
        ),
    ] {
        let server = Server::start(move |line| match line == path {
            true => reply.clone(),
            false => infers(ok(""))(line),
        });
        let Err(error) = server.load() else {
            panic!("{said}")
        };
        let words = error.to_string();
        assert!(words.contains(said), "{words}");
        assert_eq!(Failure::from(error).kind, FailureKind::SessionLoad);
    }
}

#[test]
fn inputs_and_outputs_come_from_the_server_where_it_tells_them() {
    let server = Server::start(infers(ok(OUTPUTS)));
    let told = served_model(&server.model()).unwrap();
    assert_eq!(told.name, "m");
    assert_eq!(told.inputs[0].name, *"x");
    let (_, dims) = told.inputs[0].value_type.as_tensor().unwrap();
    assert_eq!(
        dims.unwrap(),
        [
            crate::record::Dim::Symbolic("batch".into()),
            crate::record::Dim::Fixed(2)
        ]
    );
    let silent = Server::start(|line| match line {
        "GET /v2/models/m HTTP/1.1" => ok(r#"{"name":"m","inputs":[],"outputs":[]}"#),
        _ => infers(ok(""))(line),
    });
    let error = Failure::from(served_model(&silent.model()).unwrap_err());
    assert!(error.message.exact().contains("does not tell the inputs"));
    assert!(error.hint.unwrap().exact().contains("name the model file"));
}
