//! A mail server and a webhook's receiver that keep what they are given.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

#[derive(Default)]
struct Kept {
    received: Vec<String>,
    /// A status to answer with, or nothing: then there is no answer.
    status: Option<u16>,
    refused: String,
}

type Shared = Arc<Mutex<Kept>>;

fn of(kept: &Shared) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes mail.
pub struct MailSink {
    pub port: u16,
    kept: Shared,
}

impl MailSink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Shared::default();
        let all = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mail(stream, all.clone()));
            }
        });
        Self { port, kept }
    }

    /// Mails that were taken, decoded as far as a test needs it.
    pub fn messages(&self) -> Vec<String> {
        of(&self.kept).received.clone()
    }

    /// Whom it takes no mail for.
    pub fn refuse(&self, address: &str) {
        address.clone_into(&mut of(&self.kept).refused);
    }
}

async fn mail(stream: TcpStream, kept: Shared) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let command = line.to_ascii_uppercase();
        let refused = of(&kept).refused.clone();
        let answer: &[u8] = match () {
            () if command.starts_with("EHLO") => b"250 sink\r\n",
            () if command.starts_with("RCPT") && !refused.is_empty() && line.contains(&refused) => {
                b"550 no such user here\r\n"
            }
            () if command.starts_with("DATA") => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                let text = data(&mut stream).await;
                of(&kept).received.push(text);
                b"250 taken\r\n"
            }
            () if command.starts_with("QUIT") => b"221 bye\r\n",
            () => b"250 ok\r\n",
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
        line.clear();
    }
}

/// The lines up to the lone dot, with soft line breaks joined.
async fn data(stream: &mut BufReader<TcpStream>) -> String {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line == ".\r\n" || line.is_empty() {
            return text.replace("=\r\n", "").replace("=3D", "=");
        }
        text.push_str(&line);
    }
}

/// Takes webhooks.
pub struct WebSink {
    pub place: String,
    kept: Shared,
}

impl WebSink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        let kept = Shared::default();
        of(&kept).status = Some(200);
        let all = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(webhook(stream, all.clone()));
            }
        });
        Self { place, kept }
    }

    /// Bodies of all requests, whatever was answered.
    pub fn bodies(&self) -> Vec<Value> {
        let kept = of(&self.kept);
        let bodies = kept
            .received
            .iter()
            .map(|body| serde_json::from_str(body).unwrap());
        bodies.collect()
    }

    pub fn answer(&self, status: u16) {
        of(&self.kept).status = Some(status);
    }

    /// From now on there is no answer.
    pub fn hang(&self) {
        of(&self.kept).status = None;
    }

    /// Waits until so many came.
    pub async fn until(&self, count: usize) {
        while of(&self.kept).received.len() < count {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

async fn webhook(stream: TcpStream, kept: Shared) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).await.unwrap() > 2 {
        let header = line.to_ascii_lowercase();
        if let Some(given) = header.strip_prefix("content-length:") {
            length = given.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let status = {
        let mut kept = of(&kept);
        kept.received.push(String::from_utf8(body).unwrap());
        kept.status
    };
    let Some(status) = status else {
        return std::future::pending().await;
    };
    let answer =
        format!("HTTP/1.1 {status} Said\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}
