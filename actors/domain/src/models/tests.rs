use super::*;

fn place(name: &str) -> ModelPlace {
    ModelPlace {
        identity: ModelIdentity {
            id: name.to_owned(),
            weights_digest: "w".to_owned(),
            tokenizer_digest: "t".to_owned(),
            dimensions: 16,
        },
        engine: "native".to_owned(),
        folder: format!("/models/{name}"),
        precision: "int8".to_owned(),
        max_tokens: 256,
    }
}

fn names(models: &Models) -> Vec<&str> {
    models.in_use().map(|place| place.identity.id.as_str()).collect()
}

#[test]
fn a_move_switches_turns_round_and_ends() {
    let models = Models::new(place("a"));
    assert_eq!(models.moving_to(place("a")), Err(MoveRefusal::Serving));
    assert_eq!((models.rolled_back(), models.ended()), (Err(MoveRefusal::Alone), Err(MoveRefusal::Alone)));

    let moving = models.moving_to(place("b")).unwrap();
    assert_eq!(names(&moving), ["a", "b"]);
    assert_eq!(moving.next(), Some(&place("b")));
    assert_eq!(moving.moving_to(place("c")), Err(MoveRefusal::Busy));
    assert_eq!(moving.ended(), Err(MoveRefusal::Moving));

    let switched = moving.switched().unwrap();
    assert_eq!(names(&switched), ["b", "a"]);
    assert_eq!((switched.next(), switched.switched()), (None, Err(MoveRefusal::Alone)));
    assert_eq!(names(&switched.rolled_back().unwrap()), ["a", "b"], "both stay, so it can be turned again");

    let ended = switched.ended().unwrap();
    assert_eq!(names(&ended), ["b"]);
    assert_eq!(ended.known().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(ended.swept().known().count(), 1);
    assert_eq!([&moving, &switched, &ended, &ended.swept()].map(|models| models.rev), [2, 3, 4, 5]);
}

#[test]
fn a_move_that_is_given_up_leaves_the_corpus_where_it_was() {
    let given_up = Models::new(place("a")).moving_to(place("b")).unwrap().rolled_back().unwrap();
    assert_eq!(names(&given_up), ["a"]);
    assert_eq!(given_up.leftover, [place("b").identity]);
    let again = given_up.moving_to(place("b")).unwrap();
    assert_eq!((again.leftover.len(), again.known().count()), (0, 2), "what is in use is not left over");
    assert_eq!(
        (given_up.epoch, again.epoch),
        (1, 2),
        "what was filed for the first move is not of the second"
    );
}

#[test]
fn a_model_is_found_by_a_key_that_nothing_else_has() {
    let models = Models::new(place("a")).moving_to(place("b")).unwrap();
    assert_eq!(models.find(place("b").identity.key()), Some(&place("b")));
    assert_eq!(models.find(place("c").identity.key()), None);
    let other = ModelIdentity { dimensions: 17, ..place("a").identity };
    assert_ne!(other.key(), place("a").identity.key());
    let shifted = ModelIdentity { id: "aw".to_owned(), weights_digest: String::new(), ..place("a").identity };
    assert_ne!(shifted.key(), place("a").identity.key());
    assert_eq!(shifted.key().to_string().len(), 32);
}
