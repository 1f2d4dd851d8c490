//! Tokens as long as a head may be, and longer.
//!
//! What does not fit into a head is never a request: nobody can say who asks, nor for what. It is answered 431 with no
//! body, and the connection closes. Every token that fits is one that opens nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::Tokens;

/// A token that makes the head this long, in bytes, and the answer as far as it came.
async fn answered(address: std::net::SocketAddr, bytes: usize) -> String {
    let [head, end] = ["GET /api/v1/account HTTP/1.1\r\nhost: tandem\r\nauthorization: Bearer ", "\r\n\r\n"];
    let token = "x".repeat(bytes - head.len() - end.len());
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be answered before it was written to its end.
    let sent = stream.write_all(format!("{head}{token}{end}").as_bytes()).await;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..read]);
        if answer.ends_with(b"}") {
            break;
        }
    }
    assert!(sent.is_ok() || bytes > 64 * 1024, "{sent:?}");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_token_that_fits_opens_nothing_and_a_longer_one_is_not_read() {
    let env =
        [("ENABLED", "true"), ("JWT__ISSUER", "https://issuer.example.org/"), ("JWT__AUDIENCE", "tandem")];
    let secret = ("JWT__SECRET", "a secret of the tests, long enough for HS256");
    let env = env.into_iter().chain([secret]);
    let env = env.map(|(name, value)| (format!("TANDEM_AUTH__{name}"), value.to_owned()));
    let config = NodeConfig::resolve(None, env, &[]).unwrap();
    let now = Arc::new(|| tandem_domain::time::Timestamp::from_millis(1_793_534_400_000));
    let mut state = state(8, Site::silent().fake);
    state.tokens = Tokens::new(&config.auth, now).unwrap().map(Arc::new);
    state.accounts = true;
    state.limits.login_failure.per_minute = 0;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = crate::serve(listener, state, async {
        stopped.await.ok();
    });
    let client = async {
        for bytes in [200, 20_000, 60_000, 64 * 1024 - 1] {
            let answer = answered(address, bytes).await;
            assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{bytes}: {answer}");
            assert!(answer.contains("\"errorCode\":\"AUTH_REQUIRED\""), "{bytes}: {answer}");
            assert!(answer.contains("www-authenticate: Bearer"), "{bytes}: {answer}");
        }
        for bytes in [66 * 1024, 1 << 20] {
            let answer = answered(address, bytes).await;
            // The end of the connection may overtake the answer.
            let is_refused = answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n");
            assert!(answer.is_empty() || (is_refused && answer.ends_with("\r\n\r\n")), "{bytes}: {answer}");
        }
        assert!(answered(address, 200).await.starts_with("HTTP/1.1 401"));
        stop.send(()).unwrap();
    };
    let (ended, ()) = tokio::join!(served, client);
    ended.unwrap();
}
