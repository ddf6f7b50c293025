"""The server: uvicorn server.app:app --port 8000.  Environment variables choose the questions."""

from bioreason_bench.environments.openenv import make_app

app = make_app()


def main() -> None:
    """Serve on port 8000."""
    import uvicorn

    uvicorn.run(app, host="0.0.0.0", port=8000)  # noqa: S104 - a container is reached from outside


if __name__ == "__main__":
    main()
