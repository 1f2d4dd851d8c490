use super::*;
use crate::placement::NodeName;
use uuid::Uuid;

fn identity() -> Identity {
    Identity { node: NodeName::new("node-1").unwrap(), boot: Uuid::from_u128(7) }
}

#[tokio::test]
async fn what_is_said_is_heard() {
    let (mut here, mut there) = tokio::io::duplex(64);
    let welcome = Welcome::V1 { from: identity(), refusal: Some(Refusal::Older) };
    let talk = async {
        say(&mut here, &Hello::V1(identity())).await.unwrap();
        hear::<Welcome>(&mut here).await.unwrap()
    };
    let answer = async {
        assert_eq!(hear::<Hello>(&mut there).await.unwrap(), Hello::V1(identity()));
        say(&mut there, &welcome).await.unwrap();
    };
    let (heard, ()) = tokio::join!(talk, answer);
    assert_eq!(heard, welcome);
}

#[tokio::test]
async fn what_is_too_long_or_no_hello_is_an_error() {
    let hear_bytes = async |bytes: &[u8]| hear::<Hello>(&mut &*bytes).await.unwrap_err().kind();
    assert_eq!(hear_bytes(&(MOST + 1).to_be_bytes()).await, io::ErrorKind::InvalidData);
    assert_eq!(hear_bytes(&[0, 3, 1, 1]).await, io::ErrorKind::UnexpectedEof);
    assert_eq!(hear_bytes(&[0, 2, 9, 9]).await, io::ErrorKind::Other, "a version that nobody knows");
    let long = "x".repeat(usize::from(MOST));
    assert_eq!(say(&mut tokio::io::sink(), &long).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
}
