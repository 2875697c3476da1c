use super::Labels;
use super::json::json;
use super::table::table;
use super::words::lines;

fn words(labels: Result<Labels, String>) -> Vec<String> {
    labels.unwrap().words().unwrap()
}

fn numbers(labels: Result<Labels, String>) -> (Vec<usize>, Vec<f64>) {
    let labels = labels.unwrap();
    (
        labels.shape().to_vec(),
        labels.numbers().unwrap().into_iter().collect(),
    )
}

#[test]
fn lines_are_words_or_numbers() {
    assert_eq!(
        words(lines("cat\n dog \n\ncat\n", 3)),
        ["cat", "dog", "cat"]
    );
    assert_eq!(
        words(lines("animal\ncat\ndog\n", 2)),
        ["cat", "dog"],
        "one more than samples is a header"
    );
    assert_eq!(numbers(lines("3\r\n1\r\n", 2)), (vec![2], vec![3.0, 1.0]));
    assert_eq!(numbers(lines("3.5\n1\n", 2)).1, [3.5, 1.0]);
    assert!(lines("", 2).is_err());
}

/// Labels of a table, where nothing of them is guessed.
fn plain(text: &str, samples: usize) -> Result<Labels, String> {
    table(text, samples).inspect(|labels| assert_eq!(labels.guessed, None))
}

#[test]
fn the_column_of_labels_is_found_by_its_name() {
    assert_eq!(
        words(plain("id,Label\n7,\"a, b\"\n8,c\n", 2)),
        ["a, b", "c"]
    );
    assert_eq!(numbers(plain("y\n1\n0\n", 2)).1, [1.0, 0.0]);
    assert_eq!(
        numbers(plain("0;1\n1;0\n", 2)),
        (vec![2, 2], vec![0.0, 1.0, 1.0, 0.0])
    );
    assert_eq!(
        table("id,kind\n7,a\n", 1).unwrap_err(),
        "it has id, kind, and none of them is called labels, label, y"
    );
    assert!(
        table("1,2\n3\n", 2)
            .unwrap_err()
            .contains("unlike numbers of fields")
    );
}

#[test]
fn classes_beside_names_of_rows_are_found_by_what_they_hold() {
    let headed = table("file,category\na.png,cat\nb.png,dog\nc.png,cat\n", 3).unwrap();
    assert_eq!(headed.guessed.as_deref(), Some("column `category`"));
    assert_eq!(words(Ok(headed)), ["cat", "dog", "cat"]);
    let bare = table("a.png\t1\nb.png\t1\n", 2).unwrap();
    assert_eq!(bare.guessed.as_deref(), Some("last column"));
    assert_eq!(numbers(Ok(bare)).1, [1.0, 1.0]);
    for unclear in [
        "train,cat\ntrain,dog\ntest,cat\n",
        "a,cat\nb,dog\nc,ant\n",
        "a,\nb,\nc,x\n",
    ] {
        assert!(
            table(unclear, 3).unwrap_err().contains("it has 2 columns"),
            "{unclear}"
        );
    }
}

#[test]
fn json_is_a_list_or_has_one() {
    assert_eq!(words(json(r#"["a", "b"]"#)), ["a", "b"]);
    assert_eq!(
        numbers(json(r#"{"n": 2, "target": [[0, 1], [1, 0]]}"#)).0,
        [2, 2]
    );
    assert_eq!(numbers(json("[true, 0.5]")).1, [1.0, 0.5]);
    assert!(
        json(r#"{"n": [1]}"#).is_err() && json("[[1], [1, 2]]").is_err() && json("[null]").is_err()
    );
}
