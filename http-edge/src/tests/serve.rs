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
