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
