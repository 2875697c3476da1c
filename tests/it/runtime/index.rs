//! What a wheel is compared with: indexes that state its hash and indexes that do not, in both of
//! their forms.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::wheels::{self, Wheels};

const VERSION: &str = "1.30.98";
/// A connection on which nothing is asked for as long as this is left without an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an index has at a path: its type, and its bytes.
#[derive(Clone)]
struct Page {
    path: String,
    kind: &'static str,
    bytes: Vec<u8>,
}

/// An index on this machine; gives its address.
fn serve(pages: Vec<Page>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/simple", listener.local_addr().unwrap());
    let pages: Arc<[Page]> = pages.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pages = Arc::clone(&pages);
            std::thread::spawn(move || answer(stream, &pages));
        }
    });
    address
}

fn answer(mut stream: TcpStream, pages: &[Page]) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    if reader.read_line(&mut request).is_err() {
        return;
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    // An empty line ends the head.
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        line.clear();
    }
    let found = pages.iter().find(|page| page.path == path);
    let (status, kind, bytes) = match found {
        Some(page) => ("200 OK", page.kind, page.bytes.as_slice()),
        None => ("404 Not Found", "text/plain", &b""[..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
        bytes.len()
    );
    // pip may have gone.
    let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(bytes);
}

fn project(kind: &'static str, text: String) -> Page {
    Page {
        path: "/simple/onnxruntime-openvino/".to_owned(),
        kind,
        bytes: text.into_bytes(),
    }
}

/// The page of the project as HTML, whose one link ends so.
fn html(wheel: &str, end: &str) -> Page {
    let link = format!("<a href=\"/files/{wheel}{end}\">{wheel}</a>");
    project(
        "text/html",
        format!("<!DOCTYPE html><html><body>{link}</body></html>"),
    )
}

/// The page of the project as JSON.
fn json(wheel: &str, hashes: &Value) -> Page {
    let file = json!({ "filename": wheel, "url": format!("/files/{wheel}"), "hashes": hashes });
    let page = json!({ "meta": { "api-version": "1.0" }, "name": "onnxruntime-openvino", "files": [file] });
    project("application/vnd.pypi.simple.v1+json", page.to_string())
}

#[test]
fn manifest_says_that_the_index_states_the_hash_only_where_it_does() {
    let wheels = Wheels::new();
    super::builds::add_openvino(&wheels, VERSION);
    let wheel = wheels::names(wheels.path())
        .into_iter()
        .find(|name| name.ends_with(".whl"))
        .unwrap();
    let bytes = fs::read(wheels.path().join(&wheel)).unwrap();
    let sha256: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let file = Page {
        path: format!("/files/{wheel}"),
        kind: "application/octet-stream",
        bytes,
    };
    let older = wheel.replace(VERSION, "1.30.97");
    let stated = json!({ "sha256": sha256 });
    for (place, (pages, verified_against)) in [
        (vec![json(&wheel, &stated)], "index"),
        (vec![json(&wheel, &json!({}))], "nothing"),
        (vec![html(&wheel, &format!("#sha256={sha256}"))], "index"),
        (vec![html(&wheel, "")], "nothing"),
        // One index has the wheel and no hash, the other hashes and not the wheel.
        (vec![html(&wheel, ""), json(&older, &stated)], "nothing"),
    ]
    .into_iter()
    .enumerate()
    {
        let indexes: Vec<String> = pages
            .into_iter()
            .map(|page| serve(vec![page, file.clone()]))
            .collect();
        let cache = wheels.path().join(format!("cache-{place}"));
        let command = wheels
            .command(&["install", &format!("openvino@{VERSION}")])
            .env("ONNXPROF_CACHE", &cache);
        let command = command
            .env_remove("PIP_NO_INDEX")
            .env_remove("PIP_FIND_LINKS");
        let command = command
            .env("PIP_INDEX_URL", &indexes[0])
            .env("PIP_EXTRA_INDEX_URL", indexes[1..].join(" "));
        let command = command
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("NO_PROXY", "127.0.0.1");
        let output = command.env("no_proxy", "127.0.0.1").run();
        output.assert_code(0);
        let manifest = cache
            .join("runtimes")
            .join(format!("openvino-{VERSION}"))
            .join("manifest.json");
        let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
        assert_eq!(manifest["wheel_sha256"], sha256.as_str());
        assert_eq!(
            manifest["verified_against"], verified_against,
            "{place}: {output}"
        );
        assert_eq!(
            output.stderr.contains("was compared with no SHA-256"),
            verified_against == "nothing",
            "{output}"
        );
    }
}
