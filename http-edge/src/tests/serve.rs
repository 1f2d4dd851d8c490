use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn a_request_in_hand_is_finished_after_the_stop() {
    let script: Box<Script> = Box::new(|_| Act::Fail(ErrorCode::NotFound, "nothing"));
    let fake = Arc::new(Fake { script, asked: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = crate::serve(listener, state(8, fake), async {
        stopped.await.unwrap();
    });
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let body = format!(r#"{{"resumeId": "{0}", "jobId": "{0}"}}"#, super::samples::ID);
        let head = format!(
            "POST /api/v1/matches HTTP/1.1\r\nhost: tandem\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        // The request is in hand and its body is not sent: only now the edge is told to stop.
        stop.send(()).unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (ended, answer) = tokio::join!(served, client);
    ended.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found"), "{answer}");
    assert!(answer.contains("\"errorCode\":\"NOT_FOUND\""), "{answer}");
}

/// An edge on a port of its own that takes 16 connections and waits a second for the head of a request.
async fn narrow() -> (std::net::SocketAddr, oneshot::Sender<()>, impl Future<Output = std::io::Result<()>>) {
    let mut state = state(8, Site::silent().fake);
    state.config.max_connections = 16;
    state.config.header_timeout_s = 1;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = crate::serve(listener, state, async {
        stopped.await.ok();
    });
    (address, stop, served)
}

async fn ask(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: tandem\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let (address, stop, served) = narrow().await;
    let clients = async {
        let mut idle = Vec::new();
        for _ in 0..200 {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        for _ in 0..20 {
            assert!(ask(address).await.starts_with("HTTP/1.1 200 OK"));
        }
        let mut open = 0;
        for stream in &mut idle {
            let read = tokio::time::timeout(std::time::Duration::from_millis(1), stream.read(&mut [0])).await;
            open += usize::from(read.is_err());
        }
        stop.send(()).unwrap();
        assert!(open <= 16, "{open} idle connections are open");
    };
    let (ended, ()) = tokio::join!(served, clients);
    ended.unwrap();
}

#[tokio::test]
async fn heads_that_dribble_in_are_cut_off() {
    let (address, stop, served) = narrow().await;
    let clients = async {
        for beginning in ["", "P", "GET /livez HTTP/1.1\r\nhost: tandem\r\nx-slow: "] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let limit = std::time::Duration::from_secs(10);
            let closed = tokio::time::timeout(limit, stream.read_to_end(&mut answer)).await;
            assert!(closed.is_ok(), "{beginning:?} is still open");
            let text = String::from_utf8(answer).unwrap();
            assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        stream.write_all("x-flood: 0123456789\r\n".repeat(10_000).as_bytes()).await.ok();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
        assert!(ask(address).await.starts_with("HTTP/1.1 200 OK"));
        stop.send(()).unwrap();
    };
    let (ended, ()) = tokio::join!(served, clients);
    ended.unwrap();
}

/// Sends a head and a body of `sent` bytes that are never asked for, then reads to the end of the connection, or the first
/// answer where that leaves it open.
async fn refused(stream: &mut TcpStream, more: &str, declared: usize, sent: usize) -> String {
    let head =
        format!("POST /api/v1/nowhere HTTP/1.1\r\nhost: tandem\r\ncontent-length: {declared}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; sent]).await.unwrap();
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8(answer.clone()).unwrap();
        let closes = text.contains("connection: close");
        if read == 0 || (text.ends_with('}') && !closes) {
            return text;
        }
    }
}

#[tokio::test]
async fn the_sender_of_a_body_that_nobody_reads_gets_its_answer() {
    let (address, stop, served) = narrow().await;
    let clients = async {
        // More than the buffers of both sides hold: it is all sent before the answer is read.
        let large = 8 << 20;
        for more in ["", "expect: 100-continue\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let answer = refused(&mut stream, more, large, large).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
            assert!(answer.contains("connection: close") && answer.ends_with('}'), "{answer}");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        for length in [1, 1000, 60_000] {
            let answer = refused(&mut stream, "", length, length).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
            assert!(!answer.contains("connection: close"), "the connection goes on: {answer}");
        }
        // Of what never comes, nobody waits for the end.
        let answer = refused(&mut stream, "", 1000, 10).await;
        assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("connection: close"), "{answer}");
        stop.send(()).unwrap();
    };
    let (ended, ()) = tokio::join!(served, clients);
    ended.unwrap();
}
