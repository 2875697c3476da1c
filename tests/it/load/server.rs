//! Servers that speak the Open Inference Protocol, loaded as a user loads them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use onnxprof::record::RunRecord;
use serde_json::json;

use crate::support::{Onnxprof, model};

/// A server of one model, `pair`, which sums two numbers.
struct Server {
    url: String,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v2/models/pair", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || converse(stream.unwrap()));
            }
        });
        Server { url }
    }
}

fn converse(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    while let Some((line, body)) = request_of(&mut stream) {
        let (status, text) = if line.starts_with("POST") {
            answer(&body)
        } else {
            ("200 OK", metadata(&line))
        };
        let length = text.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{text}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn metadata(line: &str) -> String {
    match line.split(' ').nth(1).unwrap() {
        "/v2" => json!({ "name": "pairs", "version": "0.1", "extensions": [] }),
        "/v2/models/pair/ready" => json!({ "name": "pair", "ready": true }),
        "/v2/models/pair" => json!({
            "name": "pair", "platform": "",
            "inputs": [{ "name": "x", "datatype": "FP32", "shape": [-1, 2] }],
            "outputs": [{ "name": "y", "datatype": "FP32", "shape": [-1] }],
        }),
        other => panic!("{other}"),
    }
    .to_string()
}

fn answer(body: &[u8]) -> (&'static str, String) {
    let request: serde_json::Value = serde_json::from_slice(body).unwrap();
    let values: Vec<f64> = serde_json::from_value(request["inputs"][0]["data"].clone()).unwrap();
    let sums: Vec<f64> = values.chunks(2).map(|pair| pair[0] + pair[1]).collect();
    let output = json!({ "name": "y", "datatype": "FP32", "shape": [sums.len()], "data": sums });
    (
        "200 OK",
        json!({ "model_name": "pair", "outputs": [output] }).to_string(),
    )
}

/// The first line and the body; `None` where the client has gone.
fn request_of(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head.lines().next().unwrap().to_owned(), body))
}

/// A short curve of two rates.
fn curve(out: &Path, url: &str) -> Onnxprof {
    Onnxprof::new()
        .args([
            "load",
            "--url",
            url,
            "--rate",
            "50,100",
            "--segment",
            "300ms",
        ])
        .args(["--rounds", "2", "--budget", "40s", "--out"])
        .arg(out)
}

fn record(out: &Path) -> RunRecord {
    let text = std::fs::read_to_string(out.join("run.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_server_by_itself_is_loaded_with_inputs_that_it_tells() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = curve(&out, &server.url)
        .args(["--server-pid", &std::process::id().to_string()])
        .run();
    output.assert_code(0);
    let record = record(&out);
    assert_eq!(record.plan.sessions.len(), 1);
    assert_eq!(*record.runtimes[0].version.exact(), *"pairs 0.1");
    assert!(out.join("served-model.onnx").is_file());
    assert!(
        record
            .launches
            .iter()
            .all(|launch| launch.session_load_ns.is_none())
    );
    let segments = record.load.unwrap().segments;
    assert!(segments.len() >= 4, "{}", segments.len());
    for segment in &segments {
        let served = &segment.processes[0].served;
        assert_eq!(served.counts.errors(), 0);
        let exchanged = served.exchanged.unwrap();
        let requests = served.counts.completed;
        // At least the names and types of one input and of one output each.
        assert!(exchanged.sent_bytes.0 >= 70 * requests);
        assert!(exchanged.received_bytes.0 >= 70 * requests);
        let integrity = served.integrity.as_ref().unwrap();
        assert_eq!((integrity.wrong, integrity.checked > 0), (0, true));
        assert!(segment.server_cpu_time_ns.as_ref().unwrap().is_ok());
        assert!(segment.processes[0].samples[0].memory_bytes.is_some());
    }
}

#[test]
fn what_cannot_be_loaded_is_refused_before_anything_is_sent() {
    let load = |words: &[&str]| Onnxprof::new().arg("load").args(words).run();
    load(&["--url", "http://192.0.2.1:8000/v2/models/m"]).assert_error(
        2,
        "it leads to 192.0.2.1, which is not this machine",
        "`--i-own-this-server`",
    );
    for (url, said) in [
        ("file:///v2/models/m", "`file` is not `http`"),
        (
            "https://127.0.0.1/v2/models/m",
            "encrypted connections are not supported",
        ),
        ("http://127.0.0.1:8000/", "its path is `/`"),
    ] {
        load(&["--url", url]).assert_code(2).assert_stderr(said);
    }
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{gone}/v2/models/m");
    load(&["--url", &url]).assert_error(3, "nothing listens there", "start the server");
    load(&["--url", &url, "--server-pid", "4194304"]).assert_error(
        3,
        "there is no process 4194304",
        "name the process of the server",
    );
    load(&["--url", &url, "--batcher", "none"]).assert_code(2);
    load(&["--server-pid", "1"]).assert_code(2);
}

const SETTINGS: &str = r#"{"host":"127.0.0.1","parallel_workers":0,"#;
/// A runtime of MLServer around onnxruntime.
const SERVED: &str = r#"import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        return True

    async def predict(self, payload):
        feed = {one.name: NumpyCodec.decode_input(one) for one in payload.inputs}
        names = [output.name for output in self.session.get_outputs()]
        arrays = self.session.run(names, feed)
        outputs = [NumpyCodec.encode_output(name, array) for name, array in zip(names, arrays)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
"#;

/// An environment with MLServer: the one of `ONNXPROF_MLSERVER`, or one that is there below
/// `target/`, as `python3 -m venv target/mlserver` and `pip install mlserver==1.7.1 onnxruntime`
/// there make it.
fn environment() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mlserver");
    let named = std::env::var_os("ONNXPROF_MLSERVER").map_or(own, PathBuf::from);
    named.join("bin/mlserver").is_file().then_some(named)
}

struct MlServer {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for MlServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl MlServer {
    fn start(environment: &Path, path: &Path) -> MlServer {
        let folder = tempfile::tempdir().unwrap();
        let listeners: Vec<TcpListener> = (0..3)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let port = |place: usize| listeners[place].local_addr().unwrap().port();
        let ports = [port(0), port(1), port(2)];
        drop(listeners);
        let [http, grpc, metrics] = ports;
        let settings = format!(
            "{SETTINGS}\"http_port\":{http},\"grpc_port\":{grpc},\"metrics_port\":{metrics}}}"
        );
        let model = json!({
            "name": "digits", "implementation": "served.OnnxRuntime",
            "parameters": { "uri": path },
            "inputs": [{ "name": "image", "datatype": "FP32", "shape": [-1, 1, 8, 8] }],
            "outputs": [{ "name": "logits", "datatype": "FP32", "shape": [-1, 10] }],
        });
        for (name, text) in [
            ("settings.json", settings),
            ("model-settings.json", model.to_string()),
            ("served.py", SERVED.to_owned()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let child = Command::new(environment.join("bin/mlserver"))
            .args(["start", "."])
            .current_dir(folder.path())
            .env("PYTHONPATH", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = MlServer {
            child,
            url: format!("http://127.0.0.1:{http}/v2/models/digits"),
            _folder: folder,
        };
        server.wait(http);
        server
    }

    fn wait(&self, port: u16) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "MLServer does not start"
            );
            thread::sleep(Duration::from_millis(100));
        }
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn serving_by_mlserver_is_compared_with_the_model_alone() {
    let Some(environment) = environment() else {
        println!("skipped: there is no environment with MLServer below target/");
        return;
    };
    let path = model("digits/digits-fp32.onnx");
    let server = MlServer::start(&environment, &path);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = curve(&out, &server.url)
        .arg(&path)
        .args(["--server-pid", &server.child.id().to_string()])
        .run();
    output.assert_code(0);
    let record = record(&out);
    let versions = record
        .runtimes
        .iter()
        .map(|runtime| runtime.version.exact());
    assert!(versions.clone().any(|version| version == "mlserver 1.7.1"));
    assert_eq!(record.plan.sessions.len(), 2);
    let segments = &record.load.as_ref().unwrap().segments;
    let median = |session: usize| {
        let cells = record
            .cells
            .iter()
            .filter(|cell| cell.key.session == session);
        cells.clone().count()
    };
    assert_eq!((median(0), median(1)), (1, 1));
    for segment in segments {
        let served = &segment.processes[0].served;
        assert_eq!(served.counts.errors(), 0, "{:?}", served.first_error);
        assert_eq!(served.integrity.as_ref().unwrap().wrong, 0);
        let is_remote = segment.key.session == 1;
        assert_eq!(served.exchanged.is_some(), is_remote);
        assert_eq!(segment.server_cpu_time_ns.is_some(), is_remote);
    }
}
